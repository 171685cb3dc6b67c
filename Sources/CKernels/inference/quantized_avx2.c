// Integer products with AVX2: VPMADDWD, and VPMADDUBSW for 4-bit weights.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define LANES 8
#define ONE 2
#define MORE 2
#define TALLEST_8 6
#define TALLEST_4 6
#define TALLEST_BLOCKS 4
#define ALONE_BLOCKS 1
#define ALONE_8 1
#define ALONE_4 1
#define AHEAD 2048
#define CK_QUANTIZED ck_quantized_avx2
#define CK_NAME "avx2"
#define DOT_WORDS(w, x) _mm256_madd_epi16((__m256i)(w), _mm256_set1_epi32(x))
#define PAIR_BYTES(w, x) _mm256_maddubs_epi16((__m256i)(w), _mm256_set1_epi32(x))
#define ADD_PAIRS(v) ((iv)_mm256_madd_epi16((__m256i)(v), _mm256_set1_epi16(1)))
#define HALVES(p) ((fv)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p))))
#define LOOKUP(table, w)                                                               \
  ((uv)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table))), \
                           (__m256i)(w)))
#include "quantized.inc.h"
#pragma clang attribute pop
#endif
