// Matrix products over packed panels.
//
// A tile holds MT rows of activations against NP panels of 16 output rows, all sums in registers.
// Every element's sum is one chain over ascending columns, so tiles of all shapes agree to the bit;
// they differ in how many independent chains hide the latency of the fused multiply-add.

INLINE void finish16(float *y, const f16v *sum, size_t row, size_t rows, ck_epilogue end) {
  if (row + CK_PANEL <= rows) {
    f16v v = *sum;
    if (end.bias) v += LOAD(end.bias + row);
    if (end.accumulate) v += LOAD(y + row);
    STORE(y + row, v);
    return;
  }
  for (size_t i = 0; row + i < rows; i++) {
    float v = (*sum)[i];
    if (end.bias) v += end.bias[row + i];
    if (end.accumulate) v += y[row + i];
    y[row + i] = v;
  }
}

// Tiles begin at cache lines, so that their speed doesn't depend on what else a program holds.
// The bf16 tile takes two columns a step: the even one is the low half of each dword.
#define TILE(MT, NP)                                                                             \
  __attribute__((aligned(64)))                                                                   \
  static void tile_f32_##MT##_##NP(const float *w, const float *x, size_t xs, float *y, size_t ys, \
                                   size_t row, size_t rows, size_t cols, ck_epilogue end) {      \
    f16v a[MT][NP];                                                                              \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int p = 0; p < NP; p++) a[m][p] = SPLAT(0);  \
    for (size_t c = 0; c < cols; c++) {                                                          \
      f16v v[NP];                                                                                \
      UNROLL for (int p = 0; p < NP; p++) v[p] = LOAD(w + (p * cols + c) * CK_PANEL);            \
      UNROLL for (int m = 0; m < MT; m++) {                                                      \
        const f16v b = SPLAT(x[m * xs + c]);                                                     \
        UNROLL for (int p = 0; p < NP; p++) a[m][p] = FMA(v[p], b, a[m][p]);                     \
      }                                                                                          \
    }                                                                                            \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int p = 0; p < NP; p++)                      \
        finish16(y + m * ys, &a[m][p], row + p * CK_PANEL, rows, end);                           \
  }                                                                                              \
  __attribute__((aligned(64)))                                                                   \
  static void tile_bf16_##MT##_##NP(const uint16_t *w, const float *x, size_t xs, float *y,      \
                                    size_t ys, size_t row, size_t rows, size_t cols,             \
                                    ck_epilogue end) {                                           \
    f16v a[MT][NP];                                                                              \
    const size_t pairs = (cols + 1) / 2, even = cols / 2;                                        \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int p = 0; p < NP; p++) a[m][p] = SPLAT(0);  \
    for (size_t c = 0; c < even; c++) {                                                          \
      UNROLL for (int p = 0; p < NP; p++) {                                                      \
        const uint16_t *source = w + (p * pairs + c) * 2 * CK_PANEL;                             \
        const u16v v = *(const u16u *)source;                                                    \
        __builtin_prefetch((const char *)source + (MT == 1 ? PREFETCH : NP * pairs * 64), 0, MT == 1 ? 3 : 2);\
        UNROLL for (int m = 0; m < MT; m++)                                                      \
            a[m][p] = FMA((f16v)(v << 16), SPLAT(x[m * xs + 2 * c]), a[m][p]);                   \
        UNROLL for (int m = 0; m < MT; m++)                                                      \
            a[m][p] = FMA((f16v)(v & 0xffff0000u), SPLAT(x[m * xs + 2 * c + 1]), a[m][p]);       \
      }                                                                                          \
    }                                                                                            \
    if (even < pairs) UNROLL for (int p = 0; p < NP; p++) {                                      \
        const u16v v = *(const u16u *)(w + (p * pairs + even) * 2 * CK_PANEL);                   \
        UNROLL for (int m = 0; m < MT; m++)                                                      \
            a[m][p] = FMA((f16v)(v << 16), SPLAT(x[m * xs + 2 * even]), a[m][p]);                \
      }                                                                                          \
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int p = 0; p < NP; p++)                      \
        finish16(y + m * ys, &a[m][p], row + p * CK_PANEL, rows, end);                           \
  }

#define UNROLL _Pragma("clang loop unroll(full)")

// Tiles of one panel finish what groups leave over; the groups' widths fit the register file.
TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
#if CK_REGISTERS == 32
TILE(1, 8) TILE(2, 4) TILE(3, 4) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2)
#define GROUP_1 8
#define GROUP_2 4
#define GROUP_3 4
#define GROUP_4 2
#else
TILE(1, 4) TILE(2, 2)
#define GROUP_1 4
#define GROUP_2 2
#define GROUP_3 1
#define GROUP_4 1
#endif


// Panels a group for 1, 2, 3 rows; the first entry is for 4 and more.
static const size_t groups[4] = {GROUP_4, GROUP_1, GROUP_2, GROUP_3};

// The height of the next tile when `left` rows remain: at most 6, and no thin last tile.
INLINE size_t tile_height(size_t left) {
  static const unsigned char height[13] = {0, 1, 2, 3, 4, 5, 6, 4, 4, 5, 5, 6, 6};
  return left > 12 ? 6 : height[left];
}

#define PASTE_(kind, MT, NP) tile_##kind##_##MT##_##NP
#define CALL(kind, MT, NP) \
  PASTE_(kind, MT, NP)(p, x + m * xs, xs, y + m * ys, ys, row, rows, cols, end)

// Feeds all rows to a group of panels, tile by tile.
#define ROWS_SMALL(kind, type, NAME, N1, N2, N3)                                                    \
  INLINE void NAME(const type *p, const float *x, size_t xs, float *y, size_t ys, size_t count,  \
                   size_t row, size_t rows, size_t cols, ck_epilogue end) {                      \
    const size_t m = 0;                                                                          \
    if (count == 1) CALL(kind, 1, N1);                                                           \
    else if (count == 2) CALL(kind, 2, N2);                                                      \
    else CALL(kind, 3, N3);                                                                      \
  }
#define ROWS_MANY(kind, type, NAME, N)                                                           \
  INLINE void NAME(const type *p, const float *x, size_t xs, float *y, size_t ys, size_t count,  \
                   size_t row, size_t rows, size_t cols, ck_epilogue end) {                      \
    for (size_t m = 0, h; m < count; m += h) {                                                   \
      h = tile_height(count - m);                                                                \
      if (h == 3) CALL(kind, 3, N);                                                              \
      else if (h == 4) CALL(kind, 4, N);                                                         \
      else if (h == 5) CALL(kind, 5, N);                                                         \
      else CALL(kind, 6, N);                                                                     \
    }                                                                                            \
  }

#define LINEAR(kind, type, WIDTH)                                                                \
  ROWS_SMALL(kind, type, small_##kind, 1, 1, 1)                                                    \
  ROWS_SMALL(kind, type, small_##kind##_group, GROUP_1, GROUP_2, GROUP_3)                             \
  ROWS_MANY(kind, type, many_##kind, 1)                                                          \
  ROWS_MANY(kind, type, many_##kind##_group, GROUP_4)                                         \
  static void linear_##kind(const type *w, const float *x, size_t xs, float *y, size_t ys,       \
                            size_t count, size_t panel0, size_t panel1, size_t rows,             \
                            size_t cols, ck_epilogue end) {                                      \
    const size_t size = (WIDTH) * CK_PANEL;                                                      \
    const size_t group = groups[count < 4 ? count : 0];           \
    size_t p = panel0;                                                                           \
    for (; count <= 3 && p + group <= panel1; p += group)                                        \
      small_##kind##_group(w + p * size, x, xs, y, ys, count, p * CK_PANEL, rows, cols, end);    \
    for (; count <= 3 && p < panel1; p++)                                                        \
      small_##kind(w + p * size, x, xs, y, ys, count, p * CK_PANEL, rows, cols, end);            \
    for (; p + group <= panel1; p += group)                                                      \
      many_##kind##_group(w + p * size, x, xs, y, ys, count, p * CK_PANEL, rows, cols, end);     \
    for (; p < panel1; p++)                                                                      \
      many_##kind(w + p * size, x, xs, y, ys, count, p * CK_PANEL, rows, cols, end);             \
  }

LINEAR(f32, float, cols)
LINEAR(bf16, uint16_t, (cols + 1) / 2 * 2)
