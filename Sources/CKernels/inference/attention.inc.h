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
#define scores_7 KV_NAME(scores_7)
#define scores_8 KV_NAME(scores_8)
#define weigh_1_1 KV_NAME(weigh_1_1)
#define weigh_2_1 KV_NAME(weigh_2_1)
#define weigh_1_4 KV_NAME(weigh_1_4)
#define weigh_2_wide KV_NAME(weigh_2_wide)
#define weigh_3_1 KV_NAME(weigh_3_1)
#define weigh_3_wide KV_NAME(weigh_3_wide)
#define weigh KV_NAME(weigh)
#define attend_tile KV_NAME(attend_tile)
#define attend KV_NAME(attend)

// Six queries against sixteen keys, or two against `WIDE` vectors of values, are independent chains
// enough and fit the registers; three spill.
#define TALLEST (CK_REGISTERS == 32 ? 8 : 6)
#define VALUES_AT_ONCE 32
// Blocks of keys at once for four queries and more: with registers for them, more chains hide the
// latency of the multiply-add, and a broadcast value serves two. Fewer queries are bound by reading
// the keys, which two streams slow down.
#define KEY_BLOCKS (CK_REGISTERS == 32 ? 2 : 1)
#define WIDE (CK_REGISTERS == 32 ? 4 : 2)
#define AT_ONCE (CK_REGISTERS == 32 ? 3 : 2)

// Scores of H queries against the blocks of a span, B at once as far as they go, into
// score[h][key - chunk].
#define SCORES(H, B)                                                                           \
  INLINE void scores_##H(const ck_span *s, const ck_query *query, float (*score)[CK_CHUNK],    \
                         f16v *best, ck_ahead *next) {                                         \
    static const i16v lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};          \
    const size_t dimension = s->dimension;                                                     \
    const float *q[H];                                                                         \
    UNROLL for (int h = 0; h < H; h++) q[h] = query[h].vector;                                 \
    size_t b = s->start / CK_KEY_BLOCK * CK_KEY_BLOCK;                                         \
    for (; B > 1 && b + B * CK_KEY_BLOCK <= s->stop; b += B * CK_KEY_BLOCK) {                  \
      BLOCKS(H, B)                                                                             \
    }                                                                                          \
    for (; b < s->stop; b += CK_KEY_BLOCK) {                                                   \
      BLOCKS(H, 1)                                                                             \
    }                                                                                          \
  }
#define BLOCKS(H, B)                                                                           \
  const KV *k = (const KV *)s->keys + b * dimension;                                           \
  f16v sum[B][H];                                                                              \
  UNROLL for (int n = 0; n < B; n++) UNROLL for (int h = 0; h < H; h++) sum[n][h] = SPLAT(0);  \
  const ck_range fetched = H > 3 ? ck_take(next, dimension * 64, k) : (ck_range){0};           \
  const char *line = fetched.start;                                                            \
  const size_t step = fetched.bytes ? 64 : 0;                                                  \
  for (size_t d = 0; d < dimension; d++, line += step) {                                       \
    if (H > 3) __builtin_prefetch(line, 0, 2);                                                 \
    f16v v[B];                                                                                 \
    UNROLL for (int n = 0; n < B; n++) v[n] = KV_LOAD(k + (n * dimension + d) * CK_KEY_BLOCK); \
    UNROLL for (int h = 0; h < H; h++) {                                                       \
      const f16v x = SPLAT(q[h][d]);                                                           \
      UNROLL for (int n = 0; n < B; n++) sum[n][h] = FMA(v[n], x, sum[n][h]);                  \
    }                                                                                          \
  }                                                                                            \
  UNROLL for (int n = 0; n < B; n++) {                                                         \
    const size_t place = b + n * CK_KEY_BLOCK;                                                 \
    const i16v position = lanes + (int32_t)place;                                              \
    UNROLL for (int h = 0; h < H; h++) {                                                       \
      const i16v valid = (i16v)(position >= (int32_t)s->first) &                               \
                         (i16v)(position < (int32_t)query[h].end);                             \
      const f16v logit = SELECT(valid, sum[n][h] * SPLAT(s->scale), SPLAT(-INFINITY));         \
      STORE(score[h] + (place - s->chunk), logit);                                             \
      best[h] = SELECT(logit > best[h], logit, best[h]);                                       \
    }                                                                                          \
  }
SCORES(1, 1) SCORES(2, 1) SCORES(3, 1)
SCORES(4, KEY_BLOCKS) SCORES(5, KEY_BLOCKS) SCORES(6, KEY_BLOCKS)
SCORES(7, KEY_BLOCKS) SCORES(8, KEY_BLOCKS)

// The weighted sums of Q queries over `count` values, V vectors of the dimension at once; the chains
// go on from `out` if there is `more` of them.
#define WEIGH(NAME, Q, V)                                                                      \
  INLINE void NAME(const float *const *weight, const KV *values, size_t stride, size_t count,  \
                   float *const *out, size_t d, int more, ck_ahead *next) {                    \
    if (Q > 2 && next->by_weighing) {                                                 \
      const ck_range fetched = ck_take(next, count * next->by_weighing, values);      \
      for (size_t i = 0; i < fetched.bytes; i += 64)                                           \
        __builtin_prefetch((const char *)fetched.start + i, 0, 2);                             \
    }                                                                                          \
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
                  size_t count, size_t dimension, float *const *out, int more,
                  ck_ahead *next) {
  for (size_t j = 0; j < count; j += VALUES_AT_ONCE, more = 1) {
    const size_t n = count - j < VALUES_AT_ONCE ? count - j : VALUES_AT_ONCE;
    const KV *x = values + j * stride;
    for (size_t i = 0, some; i < queries; i += some) {
      const size_t left = queries - i;
      some = left == 4 ? 2 : left < AT_ONCE ? left : AT_ONCE;
      const float *w[3] = {weight[i] + j, weight[i + some / 2] + j, weight[i + some - 1] + j};
      float *const *o = out + i;
      const size_t width = some == 1 ? 64 : 16 * WIDE;
      size_t d = 0;
      for (; d + width <= dimension; d += width) {
        if (some == 3) weigh_3_wide(w, x, stride, n, o, d, more, next);
        else if (some == 2) weigh_2_wide(w, x, stride, n, o, d, more, next);
        else weigh_1_4(w, x, stride, n, o, d, more, next);
      }
      for (; d + 16 <= dimension; d += 16) {
        if (some == 3) weigh_3_1(w, x, stride, n, o, d, more, next);
        else if (some == 2) weigh_2_1(w, x, stride, n, o, d, more, next);
        else weigh_1_1(w, x, stride, n, o, d, more, next);
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

// A tile of queries goes through a chunk; their ends don't fall.
__attribute__((aligned(64))) static void attend_tile(const ck_span *s, ck_query *query, size_t queries, ck_ahead *next) {
  float score[TALLEST][CK_CHUNK] __attribute__((aligned(64)));
  float part[TALLEST][CK_MAX_DIMENSION] __attribute__((aligned(64)));
  f16v best[TALLEST];
  for (size_t h = 0; h < queries; h++) best[h] = SPLAT(-INFINITY);
  switch (queries) {
    case 1: scores_1(s, query, score, best, next); break;
    case 2: scores_2(s, query, score, best, next); break;
    case 3: scores_3(s, query, score, best, next); break;
    case 4: scores_4(s, query, score, best, next); break;
    case 5: scores_5(s, query, score, best, next); break;
    case 6: scores_6(s, query, score, best, next); break;
    case 7: scores_7(s, query, score, best, next); break;
    default: scores_8(s, query, score, best, next); break;
  }
  float top[TALLEST], sum[TALLEST];
  const float *weight[TALLEST];
  float *into[TALLEST];
  const size_t dimension = s->dimension, start = s->start;
  const size_t low = start / CK_KEY_BLOCK * CK_KEY_BLOCK - s->chunk;
  for (size_t h = 0; h < queries; h++) {
    into[h] = start == s->first ? query[h].out : part[h];
    weight[h] = score[h] + (start - s->chunk);
    if (query[h].end <= start) continue;
    const size_t own = query[h].end < s->stop ? query[h].end : s->stop;
    const size_t high = (own - s->chunk + CK_KEY_BLOCK - 1) / CK_KEY_BLOCK * CK_KEY_BLOCK;
    if (s->cap) {
      soft_cap(score[h] + low, high - low, s->cap);
      soft_cap((float *)(best + h), 16, s->cap);
    }
    top[h] = reduce_max(&best[h]);
    sum[h] = exponential(score[h] + low, score[h] + low, high - low, top[h], 1.0f);
  }
  // Keys that all queries see first, then what single queries see beyond.
  const KV *values = s->values;
  const size_t all = query[0].end;
  const size_t common = all < start ? start : all < s->stop ? all : s->stop;
  if (common > start)
    weigh(weight, queries, values + start * s->stride, s->stride, common - start, dimension, into,
          0, next);
  for (size_t h = 0; h < queries; h++) {
    if (query[h].end <= start) continue;
    const size_t own = query[h].end < s->stop ? query[h].end : s->stop;
    const float *rest = weight[h] + (common - start);
    if (own > common)
      weigh(&rest, 1, values + common * s->stride, s->stride, own - common, dimension, into + h,
            common > start, next);
    if (start == s->first) {
      query[h].greatest = top[h];
      query[h].sum = sum[h];
      continue;
    }
    // Combine: the chunk's partial result joins the running one at their common maximum.
    float *o = query[h].out;
    const float highest = top[h] > query[h].greatest ? top[h] : query[h].greatest;
    const float old = exp1(query[h].greatest - highest), new = exp1(top[h] - highest);
    query[h].sum = __builtin_fmaf(query[h].sum, old, sum[h] * new);
    query[h].greatest = highest;
    size_t d = 0;
    for (; d + 16 <= dimension; d += 16)
      STORE(o + d, FMA(LOAD(o + d), SPLAT(old), LOAD(part[h] + d) * SPLAT(new)));
    for (; d < dimension; d++) o[d] = __builtin_fmaf(o[d], old, part[h][d] * new);
  }
}

static void attend(const ck_attention *a, const KV *keys, const KV *values, size_t stride) {
  ck_walk(a, keys, values, stride, sizeof(KV), 1, TALLEST, attend_tile, scale, exponential);
}
