// Attention over a cache of bf16 by VDPBF16PS: scores take two values of a key at once, weighted values
// two keys.
//
// As attention.inc.h does it, chunk by chunk at absolute positions, but queries and the weights of
// values are rounded to bf16, as the products of this build round their activations. Every score is one
// chain over ascending pairs of a key's values, every output one over ascending pairs of keys at even
// positions, so that rows stay invariant. A value that a row doesn't see is zero in its pair. Dimensions
// that aren't whole vectors take the AVX-512 build's kernel.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "CKernelsTable.h"
#include "attention_walk.h"
#include "bf16_pairs.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)

#define UNROLL _Pragma("clang loop unroll(full)")
#define INLINE static inline __attribute__((always_inline))

enum { MAX_DIMENSION = 256, TALLEST = 8, WEIGHED = 3 };

// The vectors of a tile's queries, rounded.
typedef uint16_t vectors[TALLEST][MAX_DIMENSION];

// Scores of H queries against B blocks of sixteen keys from position `place` on.
INLINE void scores(const ck_span *s, size_t H, size_t B, const ck_query *query, vectors rounded,
                   size_t place, float (*score)[CK_CHUNK], __m512 *best, ck_ahead *next) {
  // Lane i of a pair of columns: the key's value of the one, then of the other.
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const uint16_t *k = (const uint16_t *)s->keys + place * s->dimension;
  const ck_range fetched = H > 3 ? ck_take(next, s->dimension * 32, k) : (ck_range){0};
  const char *line = fetched.start;
  const size_t step = fetched.bytes ? 64 : 0;
  __m512 sum[2][TALLEST];
  UNROLL for (size_t b = 0; b < B; b++) UNROLL for (size_t h = 0; h < H; h++)
      sum[b][h] = _mm512_setzero_ps();
  for (size_t d = 0; d < s->dimension; d += 2, line += step) {
    if (H > 3) __builtin_prefetch(line, 0, 2);
    __m512bh v[2];
    UNROLL for (size_t b = 0; b < B; b++)
        v[b] = (__m512bh)_mm512_permutexvar_epi16(
            order, _mm512_loadu_si512(k + (b * s->dimension + d) * CK_KEY_BLOCK));
    UNROLL for (size_t h = 0; h < H; h++) {
      const __m512bh q = PAIR(rounded[h] + d);
      UNROLL for (size_t b = 0; b < B; b++) sum[b][h] = _mm512_dpbf16_ps(sum[b][h], v[b], q);
    }
  }
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  UNROLL for (size_t b = 0; b < B; b++) {
    const size_t start = place + b * CK_KEY_BLOCK;
    const __m512i position = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)start));
    const __mmask16 begun = _mm512_cmpge_epi32_mask(position, _mm512_set1_epi32((int)s->first));
    UNROLL for (size_t h = 0; h < H; h++) {
      const __mmask16 seen =
          begun & _mm512_cmplt_epi32_mask(position, _mm512_set1_epi32((int)query[h].end));
      const __m512 logit = _mm512_mask_mul_ps(_mm512_set1_ps(-INFINITY), seen, sum[b][h],
                                              _mm512_set1_ps(s->scale));
      _mm512_storeu_ps(score[h] + (start - s->chunk), logit);
      best[h] = _mm512_max_ps(best[h], logit);
    }
  }
}

#define SCORES(H, B)                                                                    \
  static void scores_##H(const ck_span *s, const ck_query *query, vectors rounded,      \
                         float (*score)[CK_CHUNK], __m512 *best, ck_ahead *next) {      \
    size_t b = s->start / CK_KEY_BLOCK * CK_KEY_BLOCK;                                  \
    for (; B > 1 && b + B * CK_KEY_BLOCK <= s->stop; b += B * CK_KEY_BLOCK)             \
      scores(s, H, B, query, rounded, b, score, best, next);                            \
    for (; b < s->stop; b += CK_KEY_BLOCK)                                              \
      scores(s, H, 1, query, rounded, b, score, best, next);                            \
  }
// Few queries are bound by reading the keys, which two streams slow down.
SCORES(1, 1) SCORES(2, 1) SCORES(3, 1) SCORES(4, 2) SCORES(5, 2) SCORES(6, 2)
SCORES(7, 2) SCORES(8, 2)

// Adds two keys' values to the sums of V times 32 columns for Q queries; `one` and `two` say whether
// the keys are seen.
INLINE void weigh_pair(size_t Q, size_t V, const uint16_t (*weight)[CK_CHUNK], size_t at,
                       const uint16_t *x, size_t stride, __mmask32 one, __mmask32 two,
                       __m512 (*low)[2], __m512 (*high)[2]) {
  __m512bh near[2], far[2];
  UNROLL for (size_t v = 0; v < V; v++) {
    const __m512i a = _mm512_maskz_loadu_epi16(one, x + v * 32);
    const __m512i b = _mm512_maskz_loadu_epi16(two, x + stride + v * 32);
    near[v] = (__m512bh)_mm512_unpacklo_epi16(a, b);
    far[v] = (__m512bh)_mm512_unpackhi_epi16(a, b);
  }
  UNROLL for (size_t i = 0; i < Q; i++) {
    const __m512bh p = PAIR(weight[i] + at);
    UNROLL for (size_t v = 0; v < V; v++) {
      low[i][v] = _mm512_dpbf16_ps(low[i][v], near[v], p);
      high[i][v] = _mm512_dpbf16_ps(high[i][v], far[v], p);
    }
  }
}

// Weighted sums of V times 32 columns for Q queries of one row over the keys [start, end).
// `weight` begins with the even key at or before `start`.
INLINE void weigh(size_t Q, size_t V, const uint16_t (*weight)[CK_CHUNK], const uint16_t *values,
                  size_t stride, size_t start, size_t end, size_t column, float *const *out) {
  __m512 low[WEIGHED][2], high[WEIGHED][2];
  UNROLL for (size_t i = 0; i < Q; i++) UNROLL for (size_t v = 0; v < V; v++)
      low[i][v] = high[i][v] = _mm512_setzero_ps();
  const size_t even = start & ~(size_t)1;
  const uint16_t *x = values + even * stride + column;
  size_t j = even;
  if (j < start) {
    weigh_pair(Q, V, weight, 0, x, stride, 0, j + 1 < end ? ~0u : 0, low, high);
    j += 2;
  }
  for (; j + 2 <= end; j += 2)
    weigh_pair(Q, V, weight, j - even, x + (j - even) * stride, stride, ~0u, ~0u, low, high);
  if (j < end)
    weigh_pair(Q, V, weight, j - even, x + (j - even) * stride, stride, ~0u, 0, low, high);
  // Unpacking has dealt fours of columns to the two sums in turn.
  const __m512i front = _mm512_set_epi32(23, 22, 21, 20, 7, 6, 5, 4, 19, 18, 17, 16, 3, 2, 1, 0);
  const __m512i back =
      _mm512_set_epi32(31, 30, 29, 28, 15, 14, 13, 12, 27, 26, 25, 24, 11, 10, 9, 8);
  UNROLL for (size_t i = 0; i < Q; i++) UNROLL for (size_t v = 0; v < V; v++) {
    float *o = out[i] + column + v * 32;
    _mm512_storeu_ps(o, _mm512_permutex2var_ps(low[i][v], front, high[i][v]));
    _mm512_storeu_ps(o + 16, _mm512_permutex2var_ps(low[i][v], back, high[i][v]));
  }
}

#define WEIGH(Q)                                                                                   \
  static void weigh_##Q(const uint16_t (*weight)[CK_CHUNK], const uint16_t *values, size_t stride, \
                        size_t start, size_t end, size_t dimension, float *const *out) {           \
    size_t d = 0;                                                                                  \
    for (; d + 64 <= dimension; d += 64) weigh(Q, 2, weight, values, stride, start, end, d, out);  \
    for (; d < dimension; d += 32) weigh(Q, 1, weight, values, stride, start, end, d, out);        \
  }
WEIGH(1) WEIGH(2) WEIGH(3)

// A tile of queries goes through a chunk; their ends don't fall.
__attribute__((aligned(64))) static void attend_tile(const ck_span *s, ck_query *query, size_t queries, ck_ahead *next) {
  vectors rounded;
  float score[TALLEST][CK_CHUNK] __attribute__((aligned(64)));
  uint16_t weight[WEIGHED][CK_CHUNK] __attribute__((aligned(64)));
  float part[WEIGHED][MAX_DIMENSION] __attribute__((aligned(64)));
  __m512 best[TALLEST];
  const size_t dimension = s->dimension, start = s->start, stride = s->stride;
  for (size_t h = 0; h < queries; h++) {
    ck_round_rows_avx512bf16(query[h].vector, rounded[h], dimension);
    best[h] = _mm512_set1_ps(-INFINITY);
  }
  switch (queries) {
    case 1: scores_1(s, query, rounded, score, best, next); break;
    case 2: scores_2(s, query, rounded, score, best, next); break;
    case 3: scores_3(s, query, rounded, score, best, next); break;
    case 4: scores_4(s, query, rounded, score, best, next); break;
    case 5: scores_5(s, query, rounded, score, best, next); break;
    case 6: scores_6(s, query, rounded, score, best, next); break;
    case 7: scores_7(s, query, rounded, score, best, next); break;
    default: scores_8(s, query, rounded, score, best, next); break;
  }
  const size_t low = start / CK_KEY_BLOCK * CK_KEY_BLOCK - s->chunk;
  for (size_t h = 0, some; h < queries; h += some) {
    // Queries of one row see the same keys.
    some = 1;
    while (some < WEIGHED && h + some < queries && query[h + some].end == query[h].end) some++;
    if (query[h].end <= start) continue;
    const size_t end = query[h].end < s->stop ? query[h].end : s->stop;
    const size_t high = (end - s->chunk + CK_KEY_BLOCK - 1) / CK_KEY_BLOCK * CK_KEY_BLOCK;
    float top[WEIGHED], sum[WEIGHED], *into[WEIGHED];
    for (size_t i = 0; i < some; i++) {
      float *own = score[h + i];
      if (s->cap) {
        ck_kernels_avx512.soft_cap(own + low, high - low, s->cap);
        ck_kernels_avx512.soft_cap((float *)(best + h + i), 16, s->cap);
      }
      top[i] = _mm512_reduce_max_ps(best[h + i]);
      sum[i] = ck_kernels_avx512.exponential(own + low, own + low, high - low, top[i], 1);
      ck_round_rows_avx512bf16(own + low, weight[i] + low, high - low);
      into[i] = start == s->first ? query[h + i].out : part[i];
    }
    const size_t even = (start & ~(size_t)1) - s->chunk;
    const uint16_t(*w)[CK_CHUNK] = (const uint16_t(*)[CK_CHUNK])(weight[0] + even);
    if (some == 1) weigh_1(w, s->values, stride, start, end, dimension, into);
    else if (some == 2) weigh_2(w, s->values, stride, start, end, dimension, into);
    else weigh_3(w, s->values, stride, start, end, dimension, into);
    for (size_t i = 0; i < some; i++) {
      ck_query *q = query + h + i;
      if (start == s->first) {
        q->greatest = top[i];
        q->sum = sum[i];
        continue;
      }
      // The chunk's partial result joins the running one at their common maximum.
      const float highest = top[i] > q->greatest ? top[i] : q->greatest;
      float both[2] = {q->greatest, top[i]};
      ck_kernels_avx512.exponential(both, both, 2, highest, 1);
      q->sum = __builtin_fmaf(q->sum, both[0], sum[i] * both[1]);
      q->greatest = highest;
      for (size_t d = 0; d < dimension; d += 16) {
        const __m512 joined = _mm512_mul_ps(_mm512_loadu_ps(part[i] + d), _mm512_set1_ps(both[1]));
        _mm512_storeu_ps(q->out + d, _mm512_fmadd_ps(_mm512_loadu_ps(q->out + d),
                                                     _mm512_set1_ps(both[0]), joined));
      }
    }
  }
}

void ck_attend_bf16_avx512bf16(const ck_attention *a, const uint16_t *keys, const uint16_t *values,
                               size_t stride) {
  if (a->dimension % 32 != 0 || a->dimension > MAX_DIMENSION)
    ck_kernels_avx512.attend_bf16(a, keys, values, stride);
  else
    ck_walk(a, keys, values, stride, sizeof *keys, 2, TALLEST, attend_tile, ck_kernels_avx512.scale,
            ck_kernels_avx512.exponential);
}
#pragma clang attribute pop
#endif
