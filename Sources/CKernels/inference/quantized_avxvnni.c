// Integer products with AVX-VNNI: VPDPBUSD on 256 bits, for processors without AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
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
#define CK_QUANTIZED ck_quantized_avxvnni
#define CK_NAME "avx2 with vnni"
#define DOT_BYTES(sum, w, x) \
  ((iv)_mm256_dpbusd_avx_epi32((__m256i)(sum), (__m256i)(w), _mm256_set1_epi32(x)))
#define HALVES(p) ((fv)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p))))
#define LOOKUP(table, w)                                                               \
  ((uv)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table))), \
                           (__m256i)(w)))
#include "quantized.inc.h"
#pragma clang attribute pop
#endif
