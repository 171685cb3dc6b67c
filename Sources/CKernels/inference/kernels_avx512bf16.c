// Matrix products by VDPBF16PS: two columns a dword, so a pair's products join one lane's sum.
//
// Activations are rounded to bf16 (nearest even), here or by whoever made them. Every element is one chain over ascending column
// pairs, whatever the tile, so rows stay invariant; the sums differ from the other builds in the
// last bits, because the instruction rounds pairs in its own way and flushes denormals.
#if defined(__x86_64__)
#include <immintrin.h>

#include "CKernelsTable.h"
#include "bf16_pairs.h"
#include "read_ahead.h"
#include "../team/thread_memory.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,prfchw"))), apply_to = function)

#define UNROLL _Pragma("clang loop unroll(full)")

enum { ROWS_AT_ONCE = 64 };

void ck_round_rows_avx512bf16(const float *x, uint16_t *out, size_t count) {
  for (size_t c = 0; c < count; c += 16) {
    const __mmask16 mask = count - c >= 16 ? 0xffff : (__mmask16)((1u << (count - c)) - 1);
    const __m256bh v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + c));
    _mm256_mask_storeu_epi16(out + c, mask, (__m256i)v);
  }
}

static inline __attribute__((always_inline)) void finish(float *y, __m512 sum, size_t row,
                                                         size_t rows, const ck_epilogue *end) {
  if (row >= rows) return;
  const size_t left = rows - row;
  const __mmask16 mask = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
  if (end->bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, end->bias + row));
  if (end->accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, y + row));
  _mm512_mask_storeu_ps(y + row, mask, sum);
}

// Weights that come next, fetched while a tile multiplies: from `line` on, `step` bytes for each line
// of its own. The tiles that share panels share their successors' bytes evenly, so that memory is
// busy all the time: 16 rows then cost little more than reading the weights. One row keeps up with
// memory by itself, and fetches what it is about to read.
//
// Besides, tiles of four rows and more fetch a line of what the thread reads after the product with
// each pair of columns.
enum { AHEAD_ONE = 4096 };
typedef struct {
  const char *line;
  size_t step;
  const char *after;
  size_t after_step;
} fetch;

// Begins at a cache line, so that its speed doesn't depend on what else a program holds.
#define TILE(MT, NP)                                                                            \
  __attribute__((aligned(64)))                                                                  \
  static void tile_##MT##_##NP(const uint16_t *w, const uint16_t *x, float *y, size_t ys,       \
                               size_t row, size_t rows, size_t pairs, fetch next,               \
                               const ck_epilogue *end) {                                               \
    __m512 a[MT][NP];                                                                           \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int p = 0; p < NP; p++)                     \
        a[m][p] = _mm512_setzero_ps();                                                          \
    UNROLL for (int m = 0; MT > 1 && m < MT; m++) UNROLL for (int p = 0; p < NP; p++)           \
        __builtin_prefetch(y + m * ys + row + p * CK_PANEL, 1);                                 \
    for (size_t c = 0; c < pairs; c++, next.after += next.after_step) {                         \
      if (MT > 3) __builtin_prefetch(next.after, 0, 2);                                         \
      __m512bh v[NP];                                                                           \
      UNROLL for (int p = 0; p < NP; p++, next.line += next.step) {                             \
        const uint16_t *source = w + (p * pairs + c) * 2 * CK_PANEL;                            \
        if (MT == 1) __builtin_prefetch((const char *)source + AHEAD_ONE);                      \
        else __builtin_prefetch(next.line, 0, 2);                                               \
        v[p] = (__m512bh)_mm512_loadu_si512(source);                                            \
      }                                                                                         \
      UNROLL for (int m = 0; m < MT; m++) {                                                     \
        const __m512bh b = PAIR(x + (m * pairs + c) * 2);                                       \
        UNROLL for (int p = 0; p < NP; p++) a[m][p] = _mm512_dpbf16_ps(a[m][p], v[p], b);       \
      }                                                                                         \
    }                                                                                           \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int p = 0; p < NP; p++)                     \
        finish(y + m * ys, a[m][p], row + p * CK_PANEL, rows, end);                             \
  }
#define TILES(NP) TILE(1, NP) TILE(2, NP) TILE(3, NP) TILE(4, NP) TILE(5, NP) \
  TILE(6, NP) TILE(7, NP) TILE(8, NP) TILE(9, NP) TILE(10, NP) TILE(11, NP)   \
  TILE(12, NP) TILE(13, NP) TILE(14, NP)
TILES(1) TILES(2)

// Fourteen rows of two panels leave four registers for the factors.
enum { TALLEST = 14 };
typedef void tile(const uint16_t *, const uint16_t *, float *, size_t, size_t, size_t, size_t,
                  fetch, const ck_epilogue *);
// Tiles by their height, over one panel and two.
#define TABLE(NP)                                                                            \
  {NULL,        tile_1_##NP,  tile_2_##NP,  tile_3_##NP,  tile_4_##NP,                       \
   tile_5_##NP, tile_6_##NP,  tile_7_##NP,  tile_8_##NP,  tile_9_##NP,                       \
   tile_10_##NP, tile_11_##NP, tile_12_##NP, tile_13_##NP, tile_14_##NP}
static tile *const single[TALLEST + 1] = TABLE(1), *const pair[TALLEST + 1] = TABLE(2);

// Feeds all rounded rows to `width` panels, in tiles of nearly equal heights. `after` bytes of other
// panels of this thread follow.
static void feed(tile *const *tiles, size_t width, size_t after, const uint16_t *w,
                 const uint16_t *x, float *y, size_t ys, size_t count, size_t row, size_t rows,
                 size_t pairs, const ck_epilogue *end, ck_ahead *ahead) {
  const size_t parts = (count + TALLEST - 1) / TALLEST;
  const size_t bytes = width * pairs * 2 * CK_PANEL * sizeof *w;
  for (size_t part = 0; part < parts; part++) {
    const size_t m = count * part / parts, height = count * (part + 1) / parts - m;
    const ck_range later = height > 3 ? ck_take(ahead, pairs * 64, w) : (ck_range){w, 0};
    const size_t step = later.bytes ? 64 : 0;
    const fetch next =
        after >= bytes
            ? (fetch){(const char *)w + bytes + part * (bytes / parts), 64 / parts, later.start, step}
            : (fetch){(const char *)w, 0, later.start, step};
    tiles[height](w, x + m * pairs * 2, y + m * ys, ys, row, rows, pairs, next, end);
  }
}

void ck_linear_rounded_avx512bf16(const uint16_t *w, const uint16_t *x, float *y, size_t ys,
                                  size_t count, size_t panel0, size_t panel1, size_t rows,
                                  size_t cols, ck_epilogue end) {
  const size_t pairs = (cols + 1) / 2, size = pairs * 2 * CK_PANEL;
  const size_t bytes = size * sizeof *w;
  ck_ahead ahead = {.left = {end.next[0], end.next[1]}};
  for (size_t m = 0; m < count; m += ROWS_AT_ONCE) {
    const size_t some = count - m < ROWS_AT_ONCE ? count - m : ROWS_AT_ONCE;
    const uint16_t *in = x + m * pairs * 2;
    float *out = y + m * ys;
    size_t p = panel0;
    for (; p + 2 <= panel1; p += 2)
      feed(pair, 2, (panel1 - p - 2) * bytes, w + p * size, in, out, ys, some, p * CK_PANEL, rows,
           pairs, &end, &ahead);
    for (; p < panel1; p++)
      feed(single, 1, (panel1 - p - 1) * bytes, w + p * size, in, out, ys, some, p * CK_PANEL,
           rows, pairs, &end, &ahead);
  }
}

void ck_linear_bf16_avx512bf16(const uint16_t *w, const float *x, size_t xs, float *y, size_t ys,
                               size_t count, size_t panel0, size_t panel1, size_t rows,
                               size_t cols, ck_epilogue end) {
  // The choice depends on the matrix alone, so it can't vary between rows.
  if (cols > CK_ROUNDED_COLUMNS) {
    ck_kernels_avx512.linear_bf16(w, x, xs, y, ys, count, panel0, panel1, rows, cols, end);
    return;
  }
  const size_t padded = (cols + 1) / 2 * 2;
  uint16_t *rounded = ck_thread_rows();
  for (size_t m = 0; m < count; m += ROWS_AT_ONCE) {
    const size_t some = count - m < ROWS_AT_ONCE ? count - m : ROWS_AT_ONCE;
    for (size_t i = 0; i < some; i++) {
      ck_round_rows_avx512bf16(x + (m + i) * xs, rounded + i * padded, cols);
      if (padded > cols) rounded[i * padded + cols] = 0;
    }
    ck_linear_rounded_avx512bf16(w, rounded, y + m * ys, ys, some, panel0, panel1, rows, cols, end);
  }
}
#pragma clang attribute pop
#endif
