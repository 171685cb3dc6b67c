// Products of int8 and int4 weights: one source for every instruction set.
//
// The including file sets the instruction set and defines
//   LANES           outputs of a strip: 8 or 16
//   DOT_BYTES(sum, w, x)             four products of a byte of w, unsigned, and one of x, signed,
//                                    joined to each 32-bit lane, or, where there is no such thing,
//   DOT_WORDS(w, x), PAIR_BYTES(w, x), ADD_PAIRS(v)
//                                    VPMADDWD, VPMADDUBSW, and 16-bit neighbours added to 32 bits
//   HALVES(p)                        LANES f16 values as f32
//   LOOKUP(table, w)                 the bytes at the places w, below 16, of a table of bytes
//   ONE, MORE                        strips of a tile of one row and of more: a panel or less
//   WIDE                             the latter over several panels, if there are enough registers
//   TALLEST_8, TALLEST_4             rows of a tile, at most
//   TALLEST_BLOCKS                   the same of blocks.inc.h: 8 or 4
//   ALONE_8, ALONE_4, ALONE_BLOCKS, AHEAD
//                                    up to so many rows a panel is read as one stream, fetched so
//                                    many bytes ahead
//   CK_QUANTIZED, CK_NAME            the table, and what it is called
//
// Weights are offset to be unsigned, and sums start at minus what that adds: offset * sum of x. All
// integer sums are exact. 32-bit lanes hold at most 32 * 255 * 127 of a group. VPMADDUBSW sums in 16
// bits and saturates, so it only meets 4-bit weights: 8 sums of 2 * 15 * 127 make 30480 at most.
// 8-bit weights go through VPMADDWD, even columns and odd columns apart.
#include <stdint.h>
#include <string.h>

#include "CKernelsTable.h"
#include "vector.inc.h"

typedef int32_t iv __attribute__((vector_size(LANES * 4)));
typedef uint32_t uv __attribute__((vector_size(LANES * 4)));
typedef uint32_t uvu __attribute__((vector_size(LANES * 4), aligned(4)));
typedef float fv __attribute__((vector_size(LANES * 4)));
typedef float fvu __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int16_t hv __attribute__((vector_size(LANES * 4)));
typedef int8_t b16u __attribute__((vector_size(16), aligned(1)));
typedef int16_t w16u __attribute__((vector_size(32), aligned(1)));
#define ORDERED(v) __builtin_shufflevector(v, v, 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15)

#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLL _Pragma("clang loop unroll(disable)")
// One row has registers to spare; more rows would spill.
#define STEPS_1 UNROLL
#define STEPS_2 ROLL
#define STEPS_3 ROLL
#define STEPS_4 ROLL
#define STEPS_5 ROLL
#define STEPS_6 ROLL
#define STEPS_7 ROLL
#define STEPS_8 ROLL
// Makes the compiler load again what it could keep: registers are for the sums.
#define FORGET(pointer) __asm__("" : "+r"(pointer))
#define PANEL_STRIPS (CK_PANEL / LANES)
#define GROUP_BYTES(bits) (CK_GROUP * CK_PANEL * (bits) / 8)
#define BLOCK_BYTES(bits) (2 * (CK_PANEL * 2 + GROUP_BYTES(bits)))
// Where strip `s` begins, its outputs `width` bytes apart.
#define STRIP_AT(s, width, panel_bytes) \
  ((size_t)(s) / PANEL_STRIPS * (panel_bytes) + (size_t)(s) % PANEL_STRIPS * LANES * (width))
#define FMAV(a, b, c) __builtin_elementwise_fma((fv)(a), (fv)(b), (fv)(c))

// A step's weights are multiplied in parts, each against one dword of a group's activations:
// PART(raw, part) gives the operand, ADD(sum, w, x) multiplies, TOTAL(sum, offset) ends a group.
#define LOW_HALVES(raw, part) ((raw) >> (4 * (part)) & 0x0f0f0f0fu)
#define BEGIN_32(sum, offset) ((sum) = (iv){0} + (offset))
#define TOTAL_32(sum, offset) (sum)
#define PARTS_4 2
#define PART_4 LOW_HALVES
#define X_BYTES_4 CK_GROUP
#define BEGIN_8 BEGIN_32
#define TOTAL_8 TOTAL_32
typedef iv sums_8;
#ifdef DOT_BYTES
typedef iv sums_4;
#define PARTS_8 1
#define PART_8(raw, part) (raw)
#define X_BYTES_8 CK_GROUP
#define ADD_8(sum, w, x) ((sum) = DOT_BYTES(sum, w, x))
#define BEGIN_4 BEGIN_32
#define ADD_4 ADD_8
#define TOTAL_4 TOTAL_32
#else
typedef hv sums_4;
#define PARTS_8 2
#define PART_8(raw, part) ((raw) >> (8 * (part)) & 0x00ff00ffu)
#define X_BYTES_8 (2 * CK_GROUP)
#define ADD_8(sum, w, x) ((sum) += (iv)DOT_WORDS(w, x))
#define BEGIN_4(sum, offset) ((sum) = (hv){0})
#define ADD_4(sum, w, x) ((sum) += (hv)PAIR_BYTES(w, x))
#define TOTAL_4(sum, offset) (ADD_PAIRS(sum) + (offset))
#endif

// How rows of quantised activations are laid out: values, scales of groups, and what unsigned
// weights add to the sums of groups, negated: -(offset of the weights) * (sum of the group's
// values).
typedef struct {
  size_t stride, groups;
  size_t scales, offsets;  // where they begin in a row
} layout;

INLINE layout layout_of(int bits, size_t cols) {
  const size_t groups = (cols + CK_GROUP - 1) / CK_GROUP;
  const size_t values = groups * (bits == 8 ? X_BYTES_8 : X_BYTES_4);
  return (layout){ck_quantized_row_bytes(cols), groups, values, values + groups * sizeof(float)};
}

// Of row `m`, group `g`.
INLINE float scale_of(const uint8_t *x, const layout *l, size_t m, size_t g) {
  float value;
  memcpy(&value, x + m * l->stride + l->scales + g * sizeof value, sizeof value);
  return value;
}
INLINE int32_t offset_of(const uint8_t *x, const layout *l, size_t m, size_t g) {
  int32_t value;
  memcpy(&value, x + m * l->stride + l->offsets + g * sizeof value, sizeof value);
  return value;
}

// Dword `i` of a group's 32 activations, in every lane.
INLINE int32_t dword(const uint8_t *x, int i) {
  int32_t value;
  memcpy(&value, x + 4 * i, sizeof value);
  return value;
}

// Writes a tile's sums [height][strips].
static void finish(float *y, size_t ys, const fv *sums, size_t height, size_t strips, size_t row,
                   size_t rows, const ck_epilogue *end) {
  for (size_t m = 0; m < height; m++, y += ys) {
    for (size_t s = 0, r = row; s < strips; s++, r += LANES, sums++) {
      if (r + LANES <= rows) {
        fv v = *sums;
        if (end->bias) v += *(const fvu *)(end->bias + r);
        if (end->accumulate) v += *(const fvu *)(y + r);
        *(fvu *)(y + r) = v;
        continue;
      }
      for (size_t i = 0; r + i < rows; i++) {
        float v = (*sums)[i];
        if (end->bias) v += end->bias[r + i];
        if (end->accumulate) v += y[r + i];
        y[r + i] = v;
      }
    }
  }
}

// Weights that come next, fetched while a tile multiplies: those `ahead` bytes further. Tiles that
// share panels take the groups in turn, so that memory is busy all the time. A tile that is alone
// with its panel reads one stream, which the processor's own fetching helps along: with two it has
// four fifths of the speed.
typedef struct {
  size_t ahead, part, parts;
} fetch;

// A tile holds MT rows against NS neighbouring strips. Sums in f32 are one chain over ascending
// groups, whatever the tile. Tiles begin at cache lines, so that their speed doesn't depend on what
// else a program holds.
#define TILE(bits, MT, NS) TILE_(bits, MT, NS)
#define TILE_(bits, MT, NS)                                                                      \
  __attribute__((aligned(64)))                                                                   \
  static void tile_##bits##_##MT##_##NS(const uint8_t *w, size_t first, size_t panel_bytes,      \
                                        fetch next, const uint8_t *x, const layout *shape,       \
                                        float *y, size_t ys, size_t row,                         \
                                        size_t rows, const ck_epilogue *end) {                          \
    fv a[MT][NS];                                                                                \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int s = 0; s < NS; s++) a[m][s] = (fv){0};   \
    const layout l = *shape;                                                                     \
    UNROLL for (int m = 0; MT > 1 && m < MT; m++) UNROLL for (int s = 0; s < NS; s++)            \
        __builtin_prefetch(y + m * ys + row + s * LANES, 1);                                     \
    size_t turn = 0;                                                                             \
    for (size_t g = 0; g < l.groups; g++) {                                                      \
      const uint8_t *block = w + g / 2 * BLOCK_BYTES(bits);                                      \
      const uint8_t *scales = block + g % 2 * CK_PANEL * 2;                                      \
      const uint8_t *weights = block + CK_PANEL * 4 + g % 2 * GROUP_BYTES(bits);                 \
      sums_##bits sums[MT][NS];                                                                  \
      UNROLL for (int m = 0; m < MT; m++) UNROLL for (int s = 0; s < NS; s++)                    \
          BEGIN_##bits(sums[m][s], offset_of(x, &l, m, g));                                      \
      const uint8_t *values = x + g * X_BYTES_##bits;                                            \
      const size_t ahead = turn == next.part ? next.ahead : 0;                                   \
      turn = turn + 1 == next.parts ? 0 : turn + 1;                                              \
      UNROLL for (int s = 0; s < NS; s += PANEL_STRIPS)                                          \
          __builtin_prefetch(block + STRIP_AT(s, 4, panel_bytes) + ahead);                       \
      STEPS_##MT for (int step = 0; step < bits; step++) {                                       \
        const uint8_t *source = weights + step * 64;                                             \
        UNROLL for (int s = 0; s < NS; s += PANEL_STRIPS)                                        \
            __builtin_prefetch(source + STRIP_AT(s, 4, panel_bytes) + ahead);                    \
        UNROLL for (int part = 0; part < PARTS_##bits; part++) {                                 \
          uv v[NS];                                                                              \
          FORGET(source);                                                                        \
          UNROLL for (int s = 0; s < NS; s++) {                                                  \
            const uv raw = *(const uvu *)(source + STRIP_AT(s + first, 4, panel_bytes));         \
            v[s] = PART_##bits(raw, part);                                                       \
          }                                                                                      \
          UNROLL for (int m = 0; m < MT; m++) {                                                  \
            const int32_t b = dword(values + m * l.stride, step * PARTS_##bits + part);          \
            UNROLL for (int s = 0; s < NS; s++) ADD_##bits(sums[m][s], v[s], b);                 \
          }                                                                                      \
        }                                                                                        \
      }                                                                                          \
      UNROLL for (int s = 0; s < NS; s++) {                                                      \
        const fv scale = HALVES(scales + STRIP_AT(s + first, 2, panel_bytes));                   \
        UNROLL for (int m = 0; m < MT; m++) {                                                    \
          const iv total = TOTAL_##bits(sums[m][s], offset_of(x, &l, m, g));                     \
          const fv product = scale * scale_of(x, &l, m, g);                                      \
          a[m][s] = FMAV(__builtin_convertvector(total, fv), product, a[m][s]);                  \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
    finish(y, ys, &a[0][0], MT, NS, row, rows, end);                                             \
  }

#define TILES(bits, NS) \
  TILE(bits, 2, NS) TILE(bits, 3, NS) TILE(bits, 4, NS) TILE(bits, 5, NS) TILE(bits, 6, NS)
#if TALLEST_8 == 8
#define TALL_TILES(NS) TILE(8, 7, NS) TILE(8, 8, NS)
#define TALL_ENTRIES(NS) ENTRY(8, 7, NS), ENTRY(8, 8, NS)
#else
#define TALL_TILES(NS)
#define TALL_ENTRIES(NS)
#endif
TILE(8, 1, ONE) TILES(8, MORE) TALL_TILES(MORE) TILE(4, 1, ONE) TILES(4, MORE)

typedef struct {
  void (*function)(const uint8_t *, size_t, size_t, fetch, const uint8_t *, const layout *, float *,
                   size_t, size_t, size_t, const ck_epilogue *);
  size_t strips;
} tile;

#define ENTRY(bits, MT, NS) ENTRY_(bits, MT, NS)
#define ENTRY_(bits, MT, NS) {tile_##bits##_##MT##_##NS, NS}
#define TABLE(name, bits, N1, NS, ...)                                                           \
  static const tile name##_##bits[TALLEST_##bits + 1] = {{NULL, 1},          ENTRY(bits, 1, N1), \
                                                         ENTRY(bits, 2, NS), ENTRY(bits, 3, NS), \
                                                         ENTRY(bits, 4, NS), ENTRY(bits, 5, NS), \
                                                         ENTRY(bits, 6, NS), __VA_ARGS__};

// Tiles by their height, within a panel and over several.
TABLE(single, 8, ONE, MORE, TALL_ENTRIES(MORE)) TABLE(single, 4, ONE, MORE)
#ifdef WIDE
TILES(8, WIDE) TALL_TILES(WIDE) TILES(4, WIDE)
TABLE(wide, 8, ONE, WIDE, TALL_ENTRIES(WIDE)) TABLE(wide, 4, ONE, WIDE)
#else
#define WIDE PANEL_STRIPS
#define wide_8 single_8
#define wide_4 single_4
#endif

// The height of the next tile when `left` rows remain: of 1 only when alone.
INLINE size_t next_height(size_t left, size_t tallest) {
  return left > 2 * tallest ? tallest : left > tallest ? (left + 1) / 2 : left;
}

// Feeds rows to `panels` neighbouring panels, tile by tile. `after` other panels of this thread
// follow.
static void feed(const tile *tiles, size_t tallest, size_t alone, const uint8_t *w, size_t panels,
                 size_t after, size_t panel_bytes, const uint8_t *x, const layout *l, size_t count,
                 float *y,
                 size_t ys, size_t row, size_t rows, const ck_epilogue *end) {
  const size_t following = after >= panels ? panels * panel_bytes : 0;
  fetch next = {count <= alone ? AHEAD : following, 0, 0};
  for (size_t m = 0; m < count; m += next_height(count - m, tallest)) next.parts++;
  for (size_t m = 0, height; m < count; m += height, next.part++) {
    height = next_height(count - m, tallest);
    const tile t = tiles[height];
    for (size_t s = 0; s < panels * PANEL_STRIPS; s += t.strips)
      t.function(w, s, panel_bytes, next, x + m * l->stride, l, y + m * ys, ys, row + s * LANES,
                 rows, end);
  }
}

// A group's nearest integers by its scale, which is returned.
INLINE float to_integers(const float *x, i16v q[2]) {
  const f16v a = LOAD(x), b = LOAD(x + 16);
  // The bits of magnitudes are ordered as the magnitudes are, and NaN is above all.
  const i16v m = (i16v)a & 0x7fffffff, n = (i16v)b & 0x7fffffff;
  const int32_t peak = __builtin_reduce_max((i16v)SELECT(m > n, m, n));
  float greatest;
  memcpy(&greatest, &peak, sizeof greatest);
  const int none = greatest < 1e-30f;  // its inverse might overflow
  const float inverse = none ? 0 : 127 / greatest;
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  q[0] = (i16v)(a * SPLAT(inverse) + magic) - 0x4b400000;
  q[1] = (i16v)(b * SPLAT(inverse) + magic) - 0x4b400000;
  return none ? 0 : greatest * (1.0f / 127);
}

// A group's values in X_BYTES: as int8 in order, or as int16 in the order of the parts, columns
// 0, 2, 1, 3 of every four.
static void quantize(int bits, const float *x, size_t first, size_t count, size_t cols,
                     uint8_t *row) {
  const layout l = layout_of(bits, cols);
  const size_t bytes = bits == 8 ? X_BYTES_8 : X_BYTES_4;
  const int32_t offset = 1 << (bits - 1);
  for (size_t c = 0; c < count; c += CK_GROUP) {
    const size_t left = count - c, g = (first + c) / CK_GROUP;
    const float *source = x + c;
    float padded[CK_GROUP] = {0};
    if (left < CK_GROUP) source = memcpy(padded, source, left * sizeof *source);
    i16v q[2];
    const float scale = to_integers(source, q);
    uint8_t *values = row + g * bytes;
    if (bytes == CK_GROUP) {
      *(b16u *)values = __builtin_convertvector(q[0], b16u);
      *(b16u *)(values + 16) = __builtin_convertvector(q[1], b16u);
    } else {
      *(w16u *)values = __builtin_convertvector(ORDERED(q[0]), w16u);
      *(w16u *)(values + CK_GROUP) = __builtin_convertvector(ORDERED(q[1]), w16u);
    }
    const int32_t sum = -offset * __builtin_reduce_add(q[0] + q[1]);
    memcpy(row + l.scales + g * sizeof scale, &scale, sizeof scale);
    memcpy(row + l.offsets + g * sizeof sum, &sum, sizeof sum);
  }
}

#define LINEAR(bits)                                                                             \
  static void linear_int##bits(const uint8_t *w, const uint8_t *x, float *y, size_t ys,          \
                               size_t count, size_t panel0, size_t panel1, size_t rows,          \
                               size_t cols, ck_epilogue end) {                                   \
    const size_t bytes = ck_quantized_panel_bytes(bits, cols);                                   \
    const layout l = layout_of(bits, cols);                                                      \
    const size_t panels = count <= ALONE_##bits ? 1 : WIDE / PANEL_STRIPS;                       \
    const tile *tiles = count <= ALONE_##bits ? single_##bits : wide_##bits;                     \
    size_t p = panel0;                                                                           \
    for (; p + panels <= panel1; p += panels)                                                    \
      feed(tiles, TALLEST_##bits, ALONE_##bits, w + p * bytes, panels, panel1 - p - panels,      \
           bytes, x, &l, count, y, ys, p * CK_PANEL, rows, &end);                                 \
    for (; p < panel1; p++)                                                                      \
      feed(single_##bits, TALLEST_##bits, ALONE_##bits, w + p * bytes, 1, panel1 - p - 1, bytes, \
           x, &l, count, y, ys, p * CK_PANEL, rows, &end);                                        \
  }
LINEAR(8)
LINEAR(4)

#include "blocks.inc.h"

const ck_quantized_kernels CK_QUANTIZED = {.name = CK_NAME,
                                           .quantize = quantize,
                                           .linear_int8 = linear_int8,
                                           .linear_int4 = linear_int4,
                                           .blocks = &block_kernels};
