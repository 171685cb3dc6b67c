// Multiplications of values in registers, with the instructions that the products are made of.
#include "CKernelsPeak.h"

#include <stdint.h>
#include <string.h>

#include "CKernelsTable.h"

#define UNROLL _Pragma("clang loop unroll(full)")
enum { REPEATED = 16 };  // multiplications of a sum in a turn

// `CHAINS` sums of type VECTOR, which STEP(sum, a, b) adds OPERATIONS products to. The factors count
// as changed before each step, so that no product is computed once for all.
#define PEAK(name, VECTOR, CHAINS, OPERATIONS, REGISTER, STEP)                     \
  static size_t name(size_t turns) {                                               \
    VECTOR sums[CHAINS], a, b;                                                     \
    memset(sums, 0, sizeof sums);                                                  \
    memset(&a, 1, sizeof a);                                                       \
    memset(&b, 1, sizeof b);                                                       \
    for (size_t turn = 0; turn < turns; turn++) {                                  \
      UNROLL for (int k = 0; k < REPEATED; k++) {                                  \
        __asm__ volatile("" : "+" REGISTER(a), "+" REGISTER(b));                   \
        UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = STEP(sums[i], a, b);     \
      }                                                                            \
    }                                                                              \
    UNROLL for (int i = 0; i < CHAINS; i++) __asm__ volatile("" ::REGISTER(sums[i])); \
    return turns * REPEATED * CHAINS * (OPERATIONS);                               \
  }

// The baseline: vectors of 16 bytes, a product and then a sum.
typedef float f4v __attribute__((vector_size(16)));
typedef int32_t i4v __attribute__((vector_size(16)));
#if defined(__x86_64__)
#define VECTOR_REGISTER "x"
#else
#define VECTOR_REGISTER "w"
#endif
#define MULTIPLY_ADD(sum, a, b) ((sum) + (a) * (b))
PEAK(portable_f32, f4v, 8, 4, VECTOR_REGISTER, MULTIPLY_ADD)
PEAK(portable_int8, i4v, 8, 4, VECTOR_REGISTER, MULTIPLY_ADD)

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define FMA_256(sum, a, b) _mm256_fmadd_ps(a, b, sum)
#define WORDS_256(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#define BYTES_256(sum, a, b) _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b))
PEAK(avx2_f32, __m256, 10, 8, "x", FMA_256)
PEAK(avx2_int8, __m256i, 10, 16, "x", WORDS_256)
PEAK(avx2_int4, __m256i, 10, 32, "x", BYTES_256)
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,avxvnni"))), apply_to = function)
#define DOT_256(sum, a, b) _mm256_dpbusd_avx_epi32(sum, a, b)
PEAK(avxvnni_int8, __m256i, 10, 32, "x", DOT_256)
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw"))), apply_to = function)
#define FMA_512(sum, a, b) _mm512_fmadd_ps(a, b, sum)
#define WORDS_512(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
#define BYTES_512(sum, a, b) _mm512_add_epi16(sum, _mm512_maddubs_epi16(a, b))
PEAK(avx512_f32, __m512, 16, 16, "v", FMA_512)
PEAK(avx512_int8, __m512i, 16, 32, "v", WORDS_512)
PEAK(avx512_int4, __m512i, 16, 64, "v", BYTES_512)
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512vnni"))), apply_to = function)
#define DOT_512(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
PEAK(avx512vnni_int8, __m512i, 16, 64, "v", DOT_512)
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bf16"))), apply_to = function)
#define PAIRS_512(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))
PEAK(avx512bf16_bf16, __m512, 16, 32, "v", PAIRS_512)
#pragma clang attribute pop
#endif

static size_t multiply_floats(ck_isa isa, size_t turns) {
#if defined(__x86_64__)
  if (isa >= CK_AVX512) return avx512_f32(turns);
  if (isa >= CK_AVX2) return avx2_f32(turns);
#endif
  (void)isa;
  return portable_f32(turns);
}

static size_t multiply_integers(const ck_quantized_kernels *build, int bits, size_t turns) {
#if defined(__x86_64__)
  if (build == &ck_quantized_avx512vnni) return avx512vnni_int8(turns);
  if (build == &ck_quantized_avxvnni) return avxvnni_int8(turns);
  if (build == &ck_quantized_avx512) return bits == 4 ? avx512_int4(turns) : avx512_int8(turns);
  if (build == &ck_quantized_avx2) return bits == 4 ? avx2_int4(turns) : avx2_int8(turns);
#endif
  (void)build, (void)bits;
  return portable_int8(turns);
}

size_t ck_multiply_in_registers(ck_arithmetic kind, size_t turns) {
  switch (kind) {
    case CK_ARITHMETIC_BF16:
#if defined(__x86_64__)
      if (ck_isa_current() >= CK_AVX512BF16) return avx512bf16_bf16(turns);
#endif
      return multiply_floats(ck_isa_current(), turns);
    case CK_ARITHMETIC_INT8: return multiply_integers(ck_quantized_in_use(), 8, turns);
    case CK_ARITHMETIC_INT4: return multiply_integers(ck_quantized_in_use(), 4, turns);
    default: return multiply_floats(ck_isa_current(), turns);
  }
}
