// Products of panels of blocks: one source for every type and every instruction set. Included by
// quantized.inc.h, whose vectors, dot products and fetching it takes.
//
// What a type is made of is a constant in blocks_layout.h, so each tile keeps only the branches of
// its own type.
#include "blocks_layout.h"

typedef uint8_t bv __attribute__((vector_size(LANES), aligned(1)));
typedef int8_t sbv __attribute__((vector_size(LANES), aligned(1)));

#define FLOATS(v) __builtin_convertvector((iv)(v), fv)
#define BYTES(p) __builtin_convertvector(*(const bv *)(p), uv)
#define SIGNED_BYTES(p) __builtin_convertvector(*(const sbv *)(p), iv)

// Whether sums of a sub-block fit into 16 bits: 2 * 127 * weight for each four columns. `dot` adds
// four products to each lane, `total_of` ends a sub-block.
#ifdef DOT_BYTES
INLINE int fits_words(const ck_block_layout f) {
  (void)f;
  return 0;
}
INLINE void dot(const int words, iv *sum, const uv *w, int32_t x) {
  (void)words;
  *sum = DOT_BYTES(*sum, *w, x);
}
INLINE void total_of(const int words, const iv *sum, int32_t start, iv *total) {
  (void)words;
  (void)start;
  *total = *sum;
}
#else
INLINE int fits_words(const ck_block_layout f) { return f.low + f.high <= 4 && !f.table; }
INLINE void dot(const int words, iv *sum, const uv *w, int32_t x) {
  if (words)
    *sum = (iv)((hv)*sum + (hv)PAIR_BYTES(*w, x));
  else
    *sum += ADD_PAIRS(PAIR_BYTES(*w, x));
}
INLINE void total_of(const int words, const iv *sum, int32_t start, iv *total) {
  *total = words ? ADD_PAIRS(*sum) + start : *sum;
}
#endif

// The weights of four columns, unsigned bytes: part `part` of a vector of low bits, whose further
// bits begin at bit 0 of each byte of `more`.
INLINE void weights_of(const ck_block_layout f, const uv *raw, const uv *more, const int part,
                       uv *weights) {
  const uint32_t bytes = 0x01010101u, low = (1u << f.low) - 1, high = (1u << f.high) - 1;
  uv w = *raw >> (f.low * part) & low * bytes;
  if (f.high) {
    const int up = f.low - f.high * part;  // from where its bits are to above the low ones
    w |= (up >= 0 ? *more << (up > 0 ? up : 0) : *more >> (up < 0 ? -up : 0)) &
         (high << f.low) * bytes;
  }
  if (f.table) {
    static const uint8_t values[16] = CK_MXFP4_VALUES;
    w = LOOKUP(values, w);
  }
  *weights = w;
}

// What is common to the sub-blocks of a span: f16 values of the header at `h`, of a strip's lanes.
typedef struct {
  fv d, m;
} span_scales;

INLINE span_scales scales_of_span(const ck_block_layout f, const uint8_t *h, size_t lane) {
  span_scales of = {{0}, {0}};
  if (f.scales != SCALES_HALF && f.scales != SCALES_POWER) of.d = HALVES(h + lane * 2);
  if (f.minimum) of.m = HALVES(h + CK_PANEL * 2 + lane * 2);
  return of;
}

// Scale and minimum of sub-block `b` of group `i` of the span.
INLINE void scales_of(const ck_block_layout f, const uint8_t *h, size_t lane, const span_scales *of,
                      size_t i, const int b, fv *scale, fv *minimum) {
  const uint8_t *bytes = h + SUB_SCALES + lane;
  if (f.scales == SCALES_HALF) {
    *scale = HALVES(h + (i * CK_PANEL + lane) * 2);
  } else if (f.scales == SCALES_POWER) {
    const uv e = BYTES(h + i * CK_PANEL + lane);
    const uv small = (uv)(e < 2);  // these are subnormal
    *scale = (fv)(((e + 1) << 21 & small) | ((e - 1) << 23 & ~small));
  } else if (f.scales == SCALES_PAIR) {
    *scale = of->d;
    *minimum = of->m;
  } else if (f.scales == SCALES_8) {
    *scale = of->d * FLOATS(SIGNED_BYTES(bytes + (2 * i + (size_t)b) * CK_PANEL));
  } else if (f.scales == SCALES_4) {
    const uv pair = BYTES(bytes + (2 * i + (size_t)b) * CK_PANEL);
    *scale = of->d * FLOATS(pair & 15);
    *minimum = -(of->m * FLOATS(pair >> 4));
  } else {
    const uv low = BYTES(bytes + i * CK_PANEL);
    const uv high = BYTES(bytes + (8 + i / 2) * CK_PANEL) >> (uint32_t)(i % 2 * 4);
    const uv first = (low & 15) | (high << 4 & 0x30), second = low >> 4 | (high << 2 & 0x30);
    if (f.subs == 2) {
      *scale = of->d * FLOATS((b ? second : first) - 32);
    } else {
      *scale = of->d * FLOATS(first);
      *minimum = -(of->m * FLOATS(second));
    }
  }
}

#define MOST_ROWS 8
#define MOST_STRIPS 2

// One vector of low bits against its columns of `mt` rows of activations, `stride` bytes apart.
INLINE void step(const ck_block_layout f, const int mt, const int ns, const uint8_t *w,
                 size_t ahead, uv more[MOST_STRIPS], const uint8_t *x, size_t stride,
                 iv sums[MOST_ROWS][MOST_STRIPS]) {
  const int parts = 8 / f.low, words = fits_words(f);
  __builtin_prefetch(w + ahead);
  UNROLL for (int part = 0; part < parts; part++) {
    uv v[MOST_STRIPS];
    if (mt > 1) FORGET(w);
    UNROLL for (int s = 0; s < ns; s++) {
      const uv raw = *(const uvu *)(w + s * LANES * 4);
      weights_of(f, &raw, &more[s], part, &v[s]);
    }
    UNROLL for (int m = 0; m < mt; m++) {
      const int32_t b = dword(x + (size_t)m * stride, part);
      UNROLL for (int s = 0; s < ns; s++) dot(words, &sums[m][s], &v[s], b);
    }
  }
  if (f.high)
    UNROLL for (int s = 0; s < ns; s++) more[s] >>= parts * f.high;
}

// The start of a sub-block's sums: what unsigned weights have too much.
INLINE int32_t start_of(const ck_block_layout f, const uint8_t *x, const int b) {
  const ck_block_activations *group = (const ck_block_activations *)(const void *)x;
  return !f.offset ? 0 : f.subs == 1 ? group->offset : group->offsets[b] >> f.shift;
}

// Adds sub-block `b` of a group to an output's sum. Two sub-blocks are added as one: the chain of a
// single row would be too long.
INLINE void add_sub_block(const ck_block_layout f, const int b, const fv *total, const fv *scale,
                          const fv *minimum, const uint8_t *x, fv *half, const fv *least, fv *sum) {
  const ck_block_activations *group = (const ck_block_activations *)(const void *)x;
  if (f.subs == 1) {
    *sum = FMAV(*total, *scale * group->scale, *sum);
    if (f.minimum) *sum = FMAV(*minimum, (fv){0} + group->sum, *sum);
  } else if (b == 0) {
    *half = *total * *scale;
  } else {
    *half = FMAV(*total, *scale, *half);
    if (!f.minimum) {
      *sum = FMAV(*half, (fv){0} + group->scale, *sum);
      return;
    }
    const fv minima = FMAV(*minimum, (fv){0} + group->sums[1], *least * group->sums[0]);
    *sum += FMAV(*half, (fv){0} + group->scale, minima);
  }
}

typedef struct {
  size_t stride, groups;
} block_rows;

// A tile holds `mt` rows against `ns` neighbouring strips. Sums in f32 are one chain over ascending
// sub-blocks, whatever the tile.
INLINE void block_tile(const ck_block_layout f, const int mt, const int ns, const uint8_t *w,
                       size_t first, fetch next, const uint8_t *x, const block_rows *rows_of,
                       float *y, size_t ys, size_t row, size_t rows, const ck_epilogue *end) {
  fv a[MOST_ROWS][MOST_STRIPS];
  const size_t stride = rows_of->stride, groups = rows_of->groups;
  const int steps = f.low / f.subs, words = fits_words(f);
  UNROLL for (int m = 0; m < mt; m++)
    UNROLL for (int s = 0; s < ns; s++) a[m][s] = (fv){0};
  UNROLL for (int m = 0; mt > 1 && m < mt; m++)
    UNROLL for (int s = 0; s < ns; s++)
      __builtin_prefetch(y + (size_t)m * ys + row + (size_t)s * LANES, 1);
  size_t turn = 0;
  for (size_t g = 0; g < groups; w += FORM_SPAN_BYTES(f)) {
    const uint8_t *v = w + f.header + first * LANES * 4;
    span_scales common[MOST_STRIPS];
    UNROLL for (int s = 0; s < ns; s++) {
      common[s] = scales_of_span(f, w, (first + (size_t)s) * LANES);
    }
    for (size_t i = 0; i < (size_t)f.span && g < groups;
         i++, g++, x += sizeof(ck_block_activations)) {
      const size_t ahead = turn == next.part ? next.ahead : 0;
      turn = turn + 1 == next.parts ? 0 : turn + 1;
      if (i * 64 < (size_t)f.header) __builtin_prefetch(w + i * 64 + ahead);
      uv more[MOST_STRIPS];
      fv half[MOST_ROWS][MOST_STRIPS], least[MOST_STRIPS];
      UNROLL for (int b = 0; b < f.subs; b++) {
        if (f.high && (b == 0 || f.high == 2)) {
          const uint8_t *bits = v + (f.low + b) * 64;
          __builtin_prefetch(bits + ahead);
          UNROLL for (int s = 0; s < ns; s++) more[s] = *(const uvu *)(bits + s * LANES * 4);
        }
        iv sums[MOST_ROWS][MOST_STRIPS];
        UNROLL for (int m = 0; m < mt; m++) {
          const int32_t start = words ? 0 : start_of(f, x + (size_t)m * stride, b);
          UNROLL for (int s = 0; s < ns; s++) sums[m][s] = (iv){0} + start;
        }
        const uint8_t *part = v + b * steps * 64, *values = x + b * CK_GROUP / 2;
        if (mt == 1) {
          UNROLL for (int k = 0; k < steps; k++)
            step(f, mt, ns, part + k * 64, ahead, more, values + k * 32 / f.low, stride, sums);
        } else {
          ROLL for (int k = 0; k < steps; k++)
            step(f, mt, ns, part + k * 64, ahead, more, values + k * 32 / f.low, stride, sums);
        }
        UNROLL for (int s = 0; s < ns; s++) {
          fv scale, minimum = {0};
          scales_of(f, w, (first + (size_t)s) * LANES, &common[s], i, b, &scale, &minimum);
          UNROLL for (int m = 0; m < mt; m++) {
            const uint8_t *values = x + (size_t)m * stride;
            iv integers;
            total_of(words, &sums[m][s], start_of(f, values, b), &integers);
            const fv total = FLOATS(integers);
            add_sub_block(f, b, &total, &scale, &minimum, values, &half[m][s], &least[s], &a[m][s]);
          }
          least[s] = minimum;
        }
      }
      v += FORM_GROUP_BYTES(f);
    }
  }
  fv done[MOST_ROWS * MOST_STRIPS];
  UNROLL for (int m = 0; m < mt; m++)
    UNROLL for (int s = 0; s < ns; s++) done[m * ns + s] = a[m][s];
  finish(y, ys, done, (size_t)mt, (size_t)ns, row, rows, end);
}

#define BLOCK_TILE(form, MT, NS) BLOCK_TILE_(form, MT, NS)
#define BLOCK_TILE_(form, MT, NS)                                                              \
  __attribute__((aligned(64))) static void block_##form##_##MT##_##NS(                         \
      const uint8_t *w, size_t first, fetch next, const uint8_t *x, const block_rows *rows_of, \
      float *y, size_t ys, size_t row, size_t rows, const ck_epilogue *end) {                  \
    block_tile(FORM_##form, MT, NS, w, first, next, x, rows_of, y, ys, row, rows, end);        \
  }
#define BLOCK_ENTRY(form, MT, NS) BLOCK_ENTRY_(form, MT, NS)
#define BLOCK_ENTRY_(form, MT, NS) {block_##form##_##MT##_##NS, NS}

typedef struct {
  void (*function)(const uint8_t *, size_t, fetch, const uint8_t *, const block_rows *, float *,
                   size_t, size_t, size_t, const ck_epilogue *);
  size_t strips;
} block_tile_entry;

#if TALLEST_BLOCKS == 8
#define TALL_BLOCK_TILES(form) \
  BLOCK_TILE(form, 5, MORE)    \
  BLOCK_TILE(form, 6, MORE) BLOCK_TILE(form, 7, MORE) BLOCK_TILE(form, 8, MORE)
#define TALL_BLOCK_ENTRIES(form)                                                      \
  BLOCK_ENTRY(form, 5, MORE), BLOCK_ENTRY(form, 6, MORE), BLOCK_ENTRY(form, 7, MORE), \
      BLOCK_ENTRY(form, 8, MORE)
#else
#define TALL_BLOCK_TILES(form)
#define TALL_BLOCK_ENTRIES(form)
#endif
#define BLOCK_TILES(form)                                                       \
  BLOCK_TILE(form, 1, ONE)                                                      \
  BLOCK_TILE(form, 2, MORE) BLOCK_TILE(form, 3, MORE) BLOCK_TILE(form, 4, MORE) \
      TALL_BLOCK_TILES(form)
#define BLOCK_ENTRIES(form)                                                                     \
  {NULL, 1}, BLOCK_ENTRY(form, 1, ONE), BLOCK_ENTRY(form, 2, MORE), BLOCK_ENTRY(form, 3, MORE), \
      BLOCK_ENTRY(form, 4, MORE), TALL_BLOCK_ENTRIES(form)

// Panel by panel, tile by tile. While its last tile multiplies, the next panel is fetched; up to
// ALONE_BLOCKS rows read panels as one stream.
INLINE void linear_blocks(const ck_block_type type, const block_tile_entry *tiles, const uint8_t *w,
                          const uint8_t *x, float *y, size_t ys, size_t count, size_t panel0,
                          size_t panel1, size_t rows, size_t cols, const ck_epilogue *end) {
  const size_t bytes = ck_block_panel_bytes(type, cols);
  const block_rows rows_of = {ck_block_activation_bytes(cols), (cols + CK_GROUP - 1) / CK_GROUP};
  size_t parts = 0;
  for (size_t m = 0; m < count; m += next_height(count - m, TALLEST_BLOCKS)) parts++;
  for (size_t p = panel0; p < panel1; p++) {
    fetch next = {count <= ALONE_BLOCKS ? AHEAD : p + 1 < panel1 ? bytes : 0, 0, parts};
    for (size_t m = 0, height; m < count; m += height, next.part++) {
      height = next_height(count - m, TALLEST_BLOCKS);
      const block_tile_entry t = tiles[height];
      for (size_t s = 0; s < PANEL_STRIPS; s += t.strips)
        t.function(w + p * bytes, s, next, x + m * rows_of.stride, &rows_of, y + m * ys, ys,
                   p * CK_PANEL + s * LANES, rows, end);
    }
  }
}

// f32 activations: weights are widened in registers, as ck_widen_blocks does, and multiplied as
// ck_linear_f32 does, one chain over ascending columns.
typedef struct {
  fv scale[MOST_STRIPS], minimum[MOST_STRIPS];
  uv more[MOST_STRIPS];
} widening;

// Column `j` of the four of a part.
INLINE void widened_column(const ck_block_layout f, const int mt, const widening *by,
                           const uv bytes[MOST_STRIPS], const int j, const float *x, size_t xs,
                           fv a[MOST_ROWS][MOST_STRIPS]) {
  fv value[MOST_STRIPS];
  UNROLL for (int s = 0; s < PANEL_STRIPS; s++) {
    const iv byte = (iv)(bytes[s] >> (8 * j) & 255);
    value[s] = by->scale[s] * FLOATS(byte - f.offset);
    if (f.minimum) value[s] += by->minimum[s];
  }
  UNROLL for (int m = 0; m < mt; m++)
    UNROLL for (int s = 0; s < PANEL_STRIPS; s++)
      a[m][s] = FMAV(value[s], (fv){0} + x[(size_t)m * xs], a[m][s]);
}

INLINE void widened_part(const ck_block_layout f, const widening *by, const uint8_t *w,
                         const int part, uv bytes[MOST_STRIPS]) {
  UNROLL for (int s = 0; s < PANEL_STRIPS; s++) {
    const uv raw = *(const uvu *)(w + s * LANES * 4);
    weights_of(f, &raw, &by->more[s], part, &bytes[s]);
  }
}

INLINE void widened_tile(const ck_block_layout f, const int mt, const uint8_t *w, const float *x,
                         size_t xs, float *y, size_t ys, size_t row, size_t rows, size_t cols,
                         const ck_epilogue *end) {
  fv a[MOST_ROWS][MOST_STRIPS];
  const int steps = f.low / f.subs, parts = 8 / f.low;
  const size_t span = (size_t)f.span, width = (size_t)parts * 4;
  UNROLL for (int m = 0; m < mt; m++)
    UNROLL for (int s = 0; s < PANEL_STRIPS; s++) a[m][s] = (fv){0};
  for (size_t c = 0, sub = 0; c < cols; sub++) {
    const size_t g = sub / (size_t)f.subs, i = g % span;
    const int b = f.subs == 1 ? 0 : (int)(sub % 2);
    const uint8_t *header = w + g / span * FORM_SPAN_BYTES(f);
    const uint8_t *v = header + f.header + i * FORM_GROUP_BYTES(f);
    widening by;
    UNROLL for (int s = 0; s < PANEL_STRIPS; s++) {
      const span_scales common = scales_of_span(f, header, (size_t)s * LANES);
      scales_of(f, header, (size_t)s * LANES, &common, i, b, &by.scale[s], &by.minimum[s]);
      if (!f.high) continue;
      by.more[s] = *(const uvu *)(v + (f.low + (f.high == 2 ? b : 0)) * 64 + s * LANES * 4);
      if (f.high == 1) by.more[s] >>= (uint32_t)(b * 4);
    }
    for (int k = 0; k < steps && c < cols; k++, c += width, x += width) {
      const uint8_t *source = v + (b * steps + k) * 64;
      uv bytes[MOST_STRIPS];
      __builtin_prefetch(source + AHEAD);
      if (c + width <= cols) {
        UNROLL for (int part = 0; part < parts; part++) {
          widened_part(f, &by, source, part, bytes);
          UNROLL for (int j = 0; j < 4; j++)
            widened_column(f, mt, &by, bytes, j, x + part * 4 + j, xs, a);
        }
      } else {
        ROLL for (int j = 0; j < (int)(cols - c); j++) {
          widened_part(f, &by, source, j / 4, bytes);
          widened_column(f, mt, &by, bytes, j % 4, x + j, xs, a);
        }
      }
      if (f.high)
        UNROLL for (int s = 0; s < PANEL_STRIPS; s++) by.more[s] >>= parts * f.high;
    }
  }
  fv done[MOST_ROWS * MOST_STRIPS];
  UNROLL for (int m = 0; m < mt; m++)
    UNROLL for (int s = 0; s < PANEL_STRIPS; s++) done[m * PANEL_STRIPS + s] = a[m][s];
  finish(y, ys, done, (size_t)mt, PANEL_STRIPS, row, rows, end);
}

INLINE void linear_widened(const ck_block_layout f, const ck_block_type type, const uint8_t *w,
                           const float *x, size_t xs, float *y, size_t ys, size_t count,
                           size_t panel0, size_t panel1, size_t rows, size_t cols,
                           const ck_epilogue *end) {
  const size_t bytes = type == CK_Q4_0   ? ck_quantized_panel_bytes(4, cols)
                       : type == CK_Q8_0 ? ck_quantized_panel_bytes(8, cols)
                                         : ck_block_panel_bytes(type, cols);
  for (size_t p = panel0; p < panel1; p++) {
    const uint8_t *panel = w + p * bytes;
    const size_t row = p * CK_PANEL;
    size_t m = 0;
    for (; m + 6 <= count; m += 6)
      widened_tile(f, 6, panel, x + m * xs, xs, y + m * ys, ys, row, rows, cols, end);
    for (; m + 3 <= count; m += 3)
      widened_tile(f, 3, panel, x + m * xs, xs, y + m * ys, ys, row, rows, cols, end);
    for (; m < count; m++)
      widened_tile(f, 1, panel, x + m * xs, xs, y + m * ys, ys, row, rows, cols, end);
  }
}

// A group's values, scale and sums, as quantized.inc.h has them.
static void quantize_for_blocks(const float *x, size_t first, size_t count, uint8_t *row) {
  ck_block_activations *group = (ck_block_activations *)(void *)row + first / CK_GROUP;
  for (size_t c = 0; c < count; c += CK_GROUP, group++) {
    const size_t left = count - c;
    const float *source = x + c;
    float padded[CK_GROUP] = {0};
    if (left < CK_GROUP) source = memcpy(padded, source, left * sizeof *source);
    i16v q[2];
    group->scale = to_integers(source, q);
    *(b16u *)group->values = __builtin_convertvector(q[0], b16u);
    *(b16u *)(group->values + 16) = __builtin_convertvector(q[1], b16u);
    const int32_t sums[2] = {__builtin_reduce_add(q[0]), __builtin_reduce_add(q[1])};
    group->offset = (int32_t)(-16u * (uint32_t)(sums[0] + sums[1]));
    group->sum = group->scale * (float)(sums[0] + sums[1]);
    for (int b = 0; b < 2; b++) {
      group->offsets[b] = (int32_t)(-32u * (uint32_t)sums[b]);
      group->sums[b] = group->scale * (float)sums[b];
    }
    group->spare = 0;
  }
}

#define BLOCK_PRODUCT(form)                                                                        \
  BLOCK_TILES(form)                                                                                \
  static void linear_##form(const uint8_t *w, const uint8_t *x, float *y, size_t ys, size_t count, \
                            size_t panel0, size_t panel1, size_t rows, size_t cols,                \
                            ck_epilogue end) {                                                     \
    static const block_tile_entry tiles[] = {BLOCK_ENTRIES(form)};                                 \
    linear_blocks(CK_##form, tiles, w, x, y, ys, count, panel0, panel1, rows, cols, &end);         \
  }
#define WIDENED_PRODUCT(form)                                                                      \
  static void widened_##form(const uint8_t *w, const float *x, size_t xs, float *y, size_t ys,     \
                             size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols, \
                             ck_epilogue end) {                                                    \
    linear_widened(FORM_##form, CK_##form, w, x, xs, y, ys, count, panel0, panel1, rows, cols,     \
                   &end);                                                                          \
  }
EACH_FORM(BLOCK_PRODUCT)
EACH_FORM(WIDENED_PRODUCT) WIDENED_PRODUCT(Q4_0) WIDENED_PRODUCT(Q8_0)

#define LINEAR_OF(form) linear_##form,
#define WIDENED_OF(form) widened_##form,
static const ck_block_kernels block_kernels = {
    .quantize = quantize_for_blocks,
    .linear = {EACH_FORM(LINEAR_OF)},
    .linear_f32 = {EACH_FORM(WIDENED_OF) widened_Q4_0, widened_Q8_0}};
