// bf16 products by VDPBF16PS, which multiplies two pairs in a lane: twice the rate of f32.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernelsProduct.h"
#include "simd.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)
#define TALLEST 14
#define VECTORS 2
#define UNROLL _Pragma("clang loop unroll(full)")
#define WORD_VALUES 2

typedef float lanes __attribute__((vector_size(64)));
typedef uint32_t words __attribute__((vector_size(64)));
typedef words unaligned __attribute__((aligned(4), may_alias));

static inline __attribute__((always_inline)) __mmask16 first(long count) {
  return count >= 16 ? 0xffff : count > 0 ? (__mmask16)((1u << count) - 1) : 0;
}

static inline __attribute__((always_inline)) void words_along(const float *x, long count,
                                                              int rounds, words *out) {
  (void)rounds;  // the conversion does
  const __m512 low = count >= 16 ? _mm512_loadu_ps(x) : _mm512_maskz_loadu_ps(first(count), x);
  const __m512 high = count >= 32 ? _mm512_loadu_ps(x + 16)
                                  : _mm512_maskz_loadu_ps(first(count - 16), x + 16);
  *out = (words)_mm512_cvtne2ps_pbh(high, low);
}

static inline __attribute__((always_inline)) void words_across(const float *x, const float *next,
                                                               long count, int rounds,
                                                               words *out) {
  (void)rounds;
  const __mmask16 mask = first(count);
  const __m512 low = _mm512_maskz_loadu_ps(mask, x);
  const __m512 high = next ? _mm512_maskz_loadu_ps(mask, next) : _mm512_setzero_ps();
  // The 16 first values, then the 16 second ones: each of these goes beside its partner.
  const __m512i side = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  const __m512i order = _mm512_set_epi16(
      31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
      3, 18, 2, 17, 1, 16, 0);
  *out = (words)_mm512_permutexvar_epi16(order, side);
}

#define SPLAT(word) ((words)_mm512_set1_epi32((int)(word)))
#define MULTIPLY(sum, a, b) \
  ((lanes)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))

#include "product.inc.h"

void ct_multiply_pairs(const ct_product *p, unsigned *panels) { multiply_blocks(p, panels, 1); }
#pragma clang attribute pop
#endif
