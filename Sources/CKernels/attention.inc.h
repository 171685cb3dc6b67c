// Attention of the rows of a pass over one key-value head, chunk by chunk at absolute positions.
//
// Keys are interleaved by 16, so that a block's scores are one vector and no sum crosses lanes:
// score[key] is one chain of fused multiply-adds over the dimension. Weighted values are one chain
// over ascending keys. Both depend on the row's own position only. A key or value that was loaded
// serves several queries, of all heads and rows that see it: that changes what is loaded when, and
// nothing that is computed.
//
// Included once for each type of cache: KV is its element, KV_LOAD(p) sixteen and KV_VALUE(x) one of
// them as f32, KV_NAME(name) the name of a function for it.
#define scores_1 KV_NAME(scores_1)
#define scores_2 KV_NAME(scores_2)
#define scores_3 KV_NAME(scores_3)
#define scores_4 KV_NAME(scores_4)
#define scores_5 KV_NAME(scores_5)
#define scores_6 KV_NAME(scores_6)
#define weigh_1_1 KV_NAME(weigh_1_1)
#define weigh_2_1 KV_NAME(weigh_2_1)
#define weigh_1_4 KV_NAME(weigh_1_4)
#define weigh_2_wide KV_NAME(weigh_2_wide)
#define weigh_3_1 KV_NAME(weigh_3_1)
#define weigh_3_wide KV_NAME(weigh_3_wide)
#define weigh KV_NAME(weigh)
#define attend_some KV_NAME(attend_some)
#define attend KV_NAME(attend)

// Six queries against sixteen keys, or two against `WIDE` vectors of values, are independent chains
// enough and fit the registers; three spill.
#define VALUES_AT_ONCE 32
// Blocks of keys at once for four queries and more: with registers for them, more chains hide the
// latency of the multiply-add, and a broadcast value serves two. Fewer queries are bound by reading
// the keys, which two streams slow down.
#define KEY_BLOCKS (CK_REGISTERS == 32 ? 2 : 1)
#define WIDE (CK_REGISTERS == 32 ? 4 : 2)
#define AT_ONCE (CK_REGISTERS == 32 ? 3 : 2)

// Lines that the thread reads after attention. Many queries leave memory idle, and fetch them.
typedef struct {
  const char *line;
  size_t lines;
} KV_NAME(ahead);

// Scores of H queries against the blocks of [first, end), B at once as far as they go, into
// score[h][key - chunk].
#define SCORES(H, B)                                                                           \
  INLINE void scores_##H(const float *const *q, const size_t *ends, size_t dimension,          \
                         const KV *keys, size_t chunk, size_t first, size_t end, float scale,  \
                         float (*score)[CK_CHUNK], f16v *best, KV_NAME(ahead) *next) {         \
    static const i16v lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};          \
    size_t b = first / CK_KEY_BLOCK * CK_KEY_BLOCK;                                            \
    for (; B > 1 && b + B * CK_KEY_BLOCK <= end; b += B * CK_KEY_BLOCK) {                      \
      BLOCKS(H, B)                                                                             \
    }                                                                                          \
    for (; b < end; b += CK_KEY_BLOCK) {                                                       \
      BLOCKS(H, 1)                                                                             \
    }                                                                                          \
  }
#define BLOCKS(H, B)                                                                           \
  const KV *k = keys + b * dimension;                                                          \
  f16v sum[B][H];                                                                              \
  UNROLL for (int n = 0; n < B; n++) UNROLL for (int h = 0; h < H; h++) sum[n][h] = SPLAT(0);  \
  const size_t fetched = next->lines < dimension ? next->lines : dimension;                    \
  const size_t stride = fetched ? 64 : 0;                                                      \
  for (size_t d = 0; d < dimension; d++) {                                                     \
    if (H > 3) __builtin_prefetch(next->line + d * stride, 0, 2);                              \
    f16v v[B];                                                                                 \
    UNROLL for (int n = 0; n < B; n++) v[n] = KV_LOAD(k + (n * dimension + d) * CK_KEY_BLOCK); \
    UNROLL for (int h = 0; h < H; h++) {                                                       \
      const f16v x = SPLAT(q[h][d]);                                                           \
      UNROLL for (int n = 0; n < B; n++) sum[n][h] = FMA(v[n], x, sum[n][h]);                  \
    }                                                                                          \
  }                                                                                            \
  if (H > 3) {                                                                                 \
    next->line += fetched * 64;                                                                \
    next->lines -= fetched;                                                                    \
  }                                                                                            \
  UNROLL for (int n = 0; n < B; n++) {                                                         \
    const size_t place = b + n * CK_KEY_BLOCK;                                                 \
    const i16v position = lanes + (int32_t)place;                                              \
    UNROLL for (int h = 0; h < H; h++) {                                                       \
      const i16v valid =                                                                       \
          (i16v)(position >= (int32_t)first) & (i16v)(position < (int32_t)ends[h]);            \
      const f16v logit = SELECT(valid, sum[n][h] * SPLAT(scale), SPLAT(-INFINITY));            \
      STORE(score[h] + (place - chunk), logit);                                                \
      best[h] = SELECT(logit > best[h], logit, best[h]);                                       \
    }                                                                                          \
  }
SCORES(1, 1) SCORES(2, 1) SCORES(3, 1)
SCORES(4, KEY_BLOCKS) SCORES(5, KEY_BLOCKS) SCORES(6, KEY_BLOCKS)

// The weighted sums of Q queries over `count` values, V vectors of the dimension at once; the chains
// go on from `out` if there is `more` of them.
#define WEIGH(NAME, Q, V)                                                                      \
  INLINE void NAME(const float *const *weight, const KV *values, size_t stride, size_t count,  \
                   float *const *out, size_t d, int more) {                                    \
    f16v sum[Q][V];                                                                            \
    UNROLL for (int i = 0; i < Q; i++) UNROLL for (int v = 0; v < V; v++)                      \
        sum[i][v] = more ? LOAD(out[i] + d + v * 16) : SPLAT(0);                               \
    for (size_t j = 0; j < count; j++) {                                                       \
      f16v x[V];                                                                               \
      UNROLL for (int v = 0; v < V; v++) x[v] = KV_LOAD(values + j * stride + d + v * 16);     \
      UNROLL for (int i = 0; i < Q; i++) {                                                     \
        const f16v p = SPLAT(weight[i][j]);                                                    \
        UNROLL for (int v = 0; v < V; v++) sum[i][v] = FMA(p, x[v], sum[i][v]);                \
      }                                                                                        \
    }                                                                                          \
    UNROLL for (int i = 0; i < Q; i++) UNROLL for (int v = 0; v < V; v++)                      \
        STORE(out[i] + d + v * 16, sum[i][v]);                                                 \
  }
WEIGH(weigh_1_1, 1, 1) WEIGH(weigh_2_1, 2, 1) WEIGH(weigh_3_1, 3, 1)
WEIGH(weigh_1_4, 1, 4) WEIGH(weigh_2_wide, 2, WIDE) WEIGH(weigh_3_wide, 3, WIDE)

// All queries and the whole dimension, a few values at a time, which stay in the first cache while
// the queries take turns.
static void weigh(const float *const *weight, size_t queries, const KV *values, size_t stride,
                  size_t count, size_t dimension, float *const *out, int more) {
  for (size_t j = 0; j < count; j += VALUES_AT_ONCE, more = 1) {
    const size_t n = count - j < VALUES_AT_ONCE ? count - j : VALUES_AT_ONCE;
    const KV *x = values + j * stride;
    for (size_t i = 0, some; i < queries; i += some) {
      some = queries - i < AT_ONCE ? queries - i : AT_ONCE;
      const float *w[3] = {weight[i] + j, weight[i + some / 2] + j, weight[i + some - 1] + j};
      float *const *o = out + i;
      const size_t width = some == 1 ? 64 : 16 * WIDE;
      size_t d = 0;
      for (; d + width <= dimension; d += width) {
        if (some == 3) weigh_3_wide(w, x, stride, n, o, d, more);
        else if (some == 2) weigh_2_wide(w, x, stride, n, o, d, more);
        else weigh_1_4(w, x, stride, n, o, d, more);
      }
      for (; d + 16 <= dimension; d += 16) {
        if (some == 3) weigh_3_1(w, x, stride, n, o, d, more);
        else if (some == 2) weigh_2_1(w, x, stride, n, o, d, more);
        else weigh_1_1(w, x, stride, n, o, d, more);
      }
      for (; d < dimension; d++) {
        for (size_t h = 0; h < some; h++) {
          float s = more ? o[h][d] : 0;
          for (size_t v = 0; v < n; v++)
            s = __builtin_fmaf(w[h][v], KV_VALUE(x[v * stride + d]), s);
          o[h][d] = s;
        }
      }
    }
  }
}

// Query h sees the keys [first, ends[h]); `ends` doesn't fall.
static void attend_some(const float *const *q, size_t queries, size_t dimension, const KV *keys,
                        const KV *values, size_t stride, size_t first, const size_t *ends,
                        float scale, float *const *out, KV_NAME(ahead) *next) {
  float score[CK_QUERIES_AT_ONCE][CK_CHUNK] __attribute__((aligned(64)));
  float part[CK_QUERIES_AT_ONCE][CK_MAX_DIMENSION] __attribute__((aligned(64)));
  float running_max[CK_QUERIES_AT_ONCE], running_sum[CK_QUERIES_AT_ONCE];
  const size_t last = ends[queries - 1];
  for (size_t chunk = first / CK_CHUNK * CK_CHUNK, start = first; start < last;
       chunk += CK_CHUNK, start = chunk) {
    const size_t stop = chunk + CK_CHUNK < last ? chunk + CK_CHUNK : last;
    f16v best[CK_QUERIES_AT_ONCE];
    for (size_t h = 0; h < queries; h++) best[h] = SPLAT(-INFINITY);
    switch (queries) {
      case 1: scores_1(q, ends, dimension, keys, chunk, start, stop, scale, score, best, next); break;
      case 2: scores_2(q, ends, dimension, keys, chunk, start, stop, scale, score, best, next); break;
      case 3: scores_3(q, ends, dimension, keys, chunk, start, stop, scale, score, best, next); break;
      case 4: scores_4(q, ends, dimension, keys, chunk, start, stop, scale, score, best, next); break;
      case 5: scores_5(q, ends, dimension, keys, chunk, start, stop, scale, score, best, next); break;
      default: scores_6(q, ends, dimension, keys, chunk, start, stop, scale, score, best, next); break;
    }
    float top[CK_QUERIES_AT_ONCE], sum[CK_QUERIES_AT_ONCE];
    const float *weight[CK_QUERIES_AT_ONCE];
    float *into[CK_QUERIES_AT_ONCE];
    const size_t low = start / CK_KEY_BLOCK * CK_KEY_BLOCK - chunk;
    for (size_t h = 0; h < queries; h++) {
      into[h] = start == first ? out[h] : part[h];
      weight[h] = score[h] + (start - chunk);
      if (ends[h] <= start) continue;
      const size_t own = ends[h] < stop ? ends[h] : stop;
      const size_t high = (own - chunk + CK_KEY_BLOCK - 1) / CK_KEY_BLOCK * CK_KEY_BLOCK;
      top[h] = reduce_max(&best[h]);
      sum[h] = exponential(score[h] + low, score[h] + low, high - low, top[h], 1.0f);
    }
    // Keys that all queries see first, then what single queries see beyond.
    const size_t common = ends[0] < start ? start : ends[0] < stop ? ends[0] : stop;
    if (common > start)
      weigh(weight, queries, values + start * stride, stride, common - start, dimension, into, 0);
    for (size_t h = 0; h < queries; h++) {
      if (ends[h] <= start) continue;
      const size_t own = ends[h] < stop ? ends[h] : stop;
      const float *rest = weight[h] + (common - start);
      if (own > common)
        weigh(&rest, 1, values + common * stride, stride, own - common, dimension, into + h,
              common > start);
      if (start == first) {
        running_max[h] = top[h];
        running_sum[h] = sum[h];
        continue;
      }
      // Combine: the chunk's partial result joins the running one at their common maximum.
      float *o = out[h];
      const float highest = top[h] > running_max[h] ? top[h] : running_max[h];
      const float old = exp1(running_max[h] - highest), new = exp1(top[h] - highest);
      running_sum[h] = __builtin_fmaf(running_sum[h], old, sum[h] * new);
      running_max[h] = highest;
      size_t d = 0;
      for (; d + 16 <= dimension; d += 16)
        STORE(o + d, FMA(LOAD(o + d), SPLAT(old), LOAD(part[h] + d) * SPLAT(new)));
      for (; d < dimension; d++) o[d] = __builtin_fmaf(o[d], old, part[h][d] * new);
    }
  }
  for (size_t h = 0; h < queries; h++) {
    float *o = out[h];
    const float factor = 1.0f / running_sum[h];
    size_t d = 0;
    for (; d + 16 <= dimension; d += 16) STORE(o + d, LOAD(o + d) * SPLAT(factor));
    for (; d < dimension; d++) o[d] *= factor;
  }
}

static void attend(const ck_attention *a, const KV *keys, const KV *values, size_t stride) {
  const float *queries[CK_QUERIES_AT_ONCE];
  float *outputs[CK_QUERIES_AT_ONCE];
  size_t ends[CK_QUERIES_AT_ONCE], count = 0;
  KV_NAME(ahead) next = {a->next_bytes ? a->next : keys, a->next_bytes / 64};
  for (size_t row = 0; row < a->rows; row++) {
    for (size_t h = 0; h < a->heads; h++) {
      queries[count] = a->queries + row * a->query_stride + h * a->dimension;
      outputs[count] = a->out + row * a->out_stride + h * a->dimension;
      ends[count++] = a->end + row * a->step;
      const int is_last = row + 1 == a->rows && h + 1 == a->heads;
      if (count < CK_QUERIES_AT_ONCE && !is_last) continue;
      attend_some(queries, count, a->dimension, keys, values, stride, a->first, ends, a->scale,
                  outputs, &next);
      count = 0;
    }
  }
}
