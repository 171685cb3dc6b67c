// Attention of one row over a key-value head, chunk by chunk at absolute positions.
//
// Keys are interleaved by 16, so that a block's scores are one vector and no sum crosses lanes:
// score[key] is one chain of fused multiply-adds over the dimension. Weighted values are one chain
// over ascending keys. Both depend on the row's own position only.
//
// Included once for each type of cache: KV is its element, KV_LOAD(p) sixteen and KV_VALUE(x) one of
// them as f32, KV_NAME(name) the name of a function for it.
#define scores_1 KV_NAME(scores_1)
#define scores_2 KV_NAME(scores_2)
#define scores_3 KV_NAME(scores_3)
#define scores_4 KV_NAME(scores_4)
#define weigh_1 KV_NAME(weigh_1)
#define weigh_2 KV_NAME(weigh_2)
#define weigh_4 KV_NAME(weigh_4)
#define attend_some KV_NAME(attend_some)
#define attend KV_NAME(attend)

#define HEADS_AT_ONCE 4

// Scores of H heads against the blocks of [first, end), into score[h][key - chunk].
#define SCORES(H)                                                                              \
  INLINE void scores_##H(const float *q, size_t dimension, const KV *keys, size_t chunk,    \
                         size_t first, size_t end, float scale, float (*score)[CK_CHUNK],      \
                         f16v *best) {                                                         \
    static const i16v lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};          \
    for (size_t b = first / CK_KEY_BLOCK * CK_KEY_BLOCK; b < end; b += CK_KEY_BLOCK) {         \
      const KV *k = keys + b * dimension;                                                      \
      f16v sum[H];                                                                             \
      UNROLL for (int h = 0; h < H; h++) sum[h] = SPLAT(0);                                    \
      for (size_t d = 0; d < dimension; d++) {                                                 \
        const f16v v = KV_LOAD(k + d * CK_KEY_BLOCK);                                          \
        UNROLL for (int h = 0; h < H; h++)                                                     \
            sum[h] = FMA(v, SPLAT(q[h * dimension + d]), sum[h]);                              \
      }                                                                                        \
      const i16v position = lanes + (int32_t)b;                                                \
      const i16v valid = (i16v)(position >= (int32_t)first) & (i16v)(position < (int32_t)end); \
      UNROLL for (int h = 0; h < H; h++) {                                                     \
        const f16v logit = SELECT(valid, sum[h] * SPLAT(scale), SPLAT(-INFINITY));                 \
        STORE(score[h] + (b - chunk), logit);                                                  \
        best[h] = SELECT(logit > best[h], logit, best[h]);                                     \
      }                                                                                        \
    }                                                                                          \
  }
SCORES(1) SCORES(2) SCORES(3) SCORES(4)

// One head's weighted sum of values over [first, end), V vectors of the dimension at once.
#define WEIGH(V)                                                                               \
  INLINE void weigh_##V(const float *weight, const KV *values, size_t stride, size_t first, \
                        size_t end, float *out) {                                              \
    f16v sum[V];                                                                               \
    UNROLL for (int i = 0; i < V; i++) sum[i] = SPLAT(0);                                      \
    for (size_t j = first; j < end; j++) {                                                     \
      const f16v p = SPLAT(weight[j - first]);                                                 \
      UNROLL for (int i = 0; i < V; i++)                                                       \
          sum[i] = FMA(p, KV_LOAD(values + j * stride + i * 16), sum[i]);                         \
    }                                                                                          \
    UNROLL for (int i = 0; i < V; i++) STORE(out + i * 16, sum[i]);                            \
  }
WEIGH(1) WEIGH(2) WEIGH(4)

static void attend_some(const float *q, size_t heads, size_t dimension, const KV *keys,
                        const KV *values, size_t stride, size_t first, size_t end, float scale,
                        float *out) {
  float score[HEADS_AT_ONCE][CK_CHUNK] __attribute__((aligned(64)));
  float part[CK_MAX_DIMENSION] __attribute__((aligned(64)));
  float running_max[HEADS_AT_ONCE], running_sum[HEADS_AT_ONCE];
  for (size_t chunk = first / CK_CHUNK * CK_CHUNK, start = first; start < end;
       chunk += CK_CHUNK, start = chunk) {
    const size_t stop = chunk + CK_CHUNK < end ? chunk + CK_CHUNK : end;
    f16v best[HEADS_AT_ONCE];
    for (size_t h = 0; h < heads; h++) best[h] = SPLAT(-INFINITY);
    switch (heads) {
      case 1: scores_1(q, dimension, keys, chunk, start, stop, scale, score, best); break;
      case 2: scores_2(q, dimension, keys, chunk, start, stop, scale, score, best); break;
      case 3: scores_3(q, dimension, keys, chunk, start, stop, scale, score, best); break;
      default: scores_4(q, dimension, keys, chunk, start, stop, scale, score, best); break;
    }
    const size_t low = start / CK_KEY_BLOCK * CK_KEY_BLOCK - chunk;
    const size_t high = (stop - chunk + CK_KEY_BLOCK - 1) / CK_KEY_BLOCK * CK_KEY_BLOCK;
    for (size_t h = 0; h < heads; h++) {
      const float top = reduce_max(&best[h]);
      const float sum = exponential(score[h] + low, score[h] + low, high - low, top, 1.0f);
      float *o = out + h * dimension;
      float *into = start == first ? o : part;
      const float *weight = score[h] + (start - chunk);
      size_t d = 0;
      for (; d + 64 <= dimension; d += 64)
        weigh_4(weight, values + d, stride, start, stop, into + d);
      for (; d + 32 <= dimension; d += 32)
        weigh_2(weight, values + d, stride, start, stop, into + d);
      for (; d + 16 <= dimension; d += 16)
        weigh_1(weight, values + d, stride, start, stop, into + d);
      for (; d < dimension; d++) {
        float s = 0;
        for (size_t j = start; j < stop; j++)
          s = __builtin_fmaf(weight[j - start], KV_VALUE(values[j * stride + d]), s);
        into[d] = s;
      }
      if (start == first) {
        running_max[h] = top;
        running_sum[h] = sum;
        continue;
      }
      // Combine: the chunk's partial result joins the running one at their common maximum.
      const float common = top > running_max[h] ? top : running_max[h];
      const float old = exp1(running_max[h] - common), new = exp1(top - common);
      running_sum[h] = __builtin_fmaf(running_sum[h], old, sum * new);
      running_max[h] = common;
      for (d = 0; d + 16 <= dimension; d += 16)
        STORE(o + d, FMA(LOAD(o + d), SPLAT(old), LOAD(part + d) * SPLAT(new)));
      for (; d < dimension; d++) o[d] = __builtin_fmaf(o[d], old, part[d] * new);
    }
  }
  for (size_t h = 0; h < heads; h++) {
    float *o = out + h * dimension;
    const float factor = 1.0f / running_sum[h];
    size_t d = 0;
    for (; d + 16 <= dimension; d += 16) STORE(o + d, LOAD(o + d) * SPLAT(factor));
    for (; d < dimension; d++) o[d] *= factor;
  }
}

static void attend(const float *q, size_t heads, size_t dimension, const KV *keys,
                   const KV *values, size_t stride, size_t first, size_t end, float scale,
                   float *out) {
  for (size_t h = 0; h < heads; h += HEADS_AT_ONCE) {
    const size_t some = heads - h < HEADS_AT_ONCE ? heads - h : HEADS_AT_ONCE;
    attend_some(q + h * dimension, some, dimension, keys, values, stride, first, end, scale,
                out + h * dimension);
  }
}
