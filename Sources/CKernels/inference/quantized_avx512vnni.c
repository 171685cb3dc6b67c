// Integer products with AVX-512 VNNI: VPDPBUSD on 512 bits.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,prfchw"))), \
    apply_to = function)
#define LANES 16
#define ONE 1
#define MORE 1
#define WIDE 2
#define TALLEST_8 8
#define TALLEST_4 6
#define TALLEST_BLOCKS 8
#define ALONE_BLOCKS 8
#define ALONE_8 8
#define ALONE_4 6
#define AHEAD 8192
#define CK_QUANTIZED ck_quantized_avx512vnni
#define CK_NAME "avx512 with vnni"
#define DOT_BYTES(sum, w, x) \
  ((iv)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(w), _mm512_set1_epi32(x)))
#define HALVES(p) ((fv)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p))))
#define LOOKUP(table, w)                                                               \
  ((uv)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(table))), \
                           (__m512i)(w)))
#include "quantized.inc.h"
#pragma clang attribute pop
#endif
