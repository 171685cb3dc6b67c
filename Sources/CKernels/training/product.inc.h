// One build of a matrix product. The including file sets the instruction set, TALLEST (the rows of
// the largest tile: 2, 6 or 14) and VECTORS (its vectors of 16 columns), and says what words are:
//
// A *word* is what one lane multiplies at once: an f32 value, or two bf16 values that follow one
// another in `inner`. WORD_VALUES says how many.
//
//   words_along(x, count, rounds, &out)         16 words of values that follow one another, of which
//                                               `count` exist
//   words_across(x, next, count, rounds, &out)  16 words side by side; `next` has the second values,
//                                               NULL where there are none
//   SPLAT(word), MULTIPLY(sum, a, b)            16 equal words; sum + a * b by lanes
//
// The loops are those of BLIS (Van Zee and van de Geijn 2015): columns of the right factor are packed
// into panels as wide as a tile, which stay in cache while blocks of rows of the left, packed into
// panels as high as a tile, go past them.

enum {
  WIDTH = 16 * VECTORS,
  DEPTH = 256,   // words of a panel: a panel of columns is 32 KB, two thirds of a first cache
  SLACK = 16,    // words behind a panel, which packing may overwrite
  CHUNK = 4,      // words that are packed from all panels before the next ones
};

// A factor: x[outer * o + inner * i], with `outer` counting rows of the left or columns of the right.
typedef struct {
  const float *x;
  long outer, inner;
  long outers, inners;  // how many there are
} factor;

// Swaps rows and columns of 16 vectors of 16 words.
static inline __attribute__((always_inline)) void transpose(words *v) {
#define ROUND(step, low, high)                                 \
  UNROLL for (int i = 0; i < 16; i++) if (!(i & step)) {       \
    const words a = v[i], b = v[i + step];                     \
    v[i] = low;                                                \
    v[i + step] = high;                                        \
  }
  // After the round of `step`, blocks of step * 2 words have been transposed.
  ROUND(1, __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
        __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
  ROUND(2, __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
        __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
  ROUND(4, __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
        __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
  ROUND(8, __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef ROUND
}

// Packs `count` words of 16 rows or columns, each `f->outer` after the one before, from x on into
// out[word][width]. Only `exist` rows exist, and of each `values` values.
static inline __attribute__((always_inline)) void pack_along(const factor *f, const float *x,
                                                             long exist, long values, long count,
                                                             long width, int rounds,
                                                             uint32_t *out) {
  // Rows that don't exist are anything: no result has them.
  const float *rows[16];
  for (long i = 0; i < 16; i++) rows[i] = x + (i < exist ? i : exist - 1) * f->outer;
  words v[16];
  long w = 0;
  for (; w + 16 <= count && (w + 16) * WORD_VALUES <= values; w += 16, out += 16 * width) {
    UNROLL for (int i = 0; i < 16; i++)
      words_along(rows[i] + w * WORD_VALUES, 16 * WORD_VALUES, rounds, v + i);
    transpose(v);
    UNROLL for (int i = 0; i < 16; i++) *(unaligned *)(out + i * width) = v[i];
  }
  for (; w < count; w += 16, out += 16 * width) {
    for (int i = 0; i < 16; i++)
      words_along(rows[i] + w * WORD_VALUES, values - w * WORD_VALUES, rounds, v + i);
    transpose(v);
    for (int i = 0; i < 16 && w + i < count; i++) *(unaligned *)(out + i * width) = v[i];
  }
}

// Packs `count` words of 16 rows or columns side by side, of which `exist` exist; each value is
// `f->inner` before the next one of its row. `values` are left of each row.
static inline __attribute__((always_inline)) void pack_across(const factor *f, const float *x,
                                                              long exist, long values, long count,
                                                              long width, int rounds,
                                                              uint32_t *out) {
  const long step = f->inner * WORD_VALUES;
  for (long w = 0; w < count; w++, x += step, out += width) {
    const float *next = (w + 1) * WORD_VALUES <= values ? x + (WORD_VALUES - 1) * f->inner : NULL;
    words v;
    __builtin_prefetch(x + 96);
    if (WORD_VALUES > 1) __builtin_prefetch(x + 96 + f->inner);
    if (exist >= 16 && next)
      words_across(x, next, 16, rounds, &v);
    else
      words_across(x, next, exist, rounds, &v);
    *(unaligned *)out = v;
  }
}

// Packs the words [word, word + count) of `outers` rows or columns from `first` on into panels
// [word][width], `size` words apart. Whole vectors are stored, what is too much of one being
// overwritten by the next word, or left in the slack.
static void pack(const factor *f, long first, long outers, long word, long count, long width,
                 long size, int rounds, uint32_t *panels) {
  // Along rows all words of a panel at once; across them a few of every panel, which lie together.
  const int along = f->inner == 1;
  const long chunk = along ? count : CHUNK;
  for (long w = 0; w < count; w += chunk) {
    const long some = count - w < chunk ? count - w : chunk;
    const long start = (word + w) * WORD_VALUES, values = f->inners - start;
    uint32_t *panel = panels + w * width;
    for (long o = 0; o < outers; o += width, panel += size) {
      for (long lane = 0; lane < width && o + lane < outers; lane += 16) {
        const long place = first + o + lane, exist = f->outers - place;
        const float *x = f->x + place * f->outer + start * f->inner;
        if (along)
          pack_along(f, x, exist, values, some, width, rounds, panel + lane);
        else
          pack_across(f, x, exist, values, some, width, rounds, panel + lane);
      }
    }
  }
}

// A tile of H rows: a is [words][step], b [words][WIDTH]; writes or adds to c.
#define TILE(H)                                                                                 \
  static void tile_##H(const uint32_t *a, long step, const uint32_t *b, long count, float *c,   \
                       long stride, int accumulate) {                                           \
    lanes sum[H][VECTORS];                                                                      \
    UNROLL for (int m = 0; m < H; m++) {                                                        \
      UNROLL for (int v = 0; v < VECTORS; v++) sum[m][v] = (lanes){0};                          \
      __builtin_prefetch(c + m * stride);                                                       \
      __builtin_prefetch(c + m * stride + WIDTH - 1);                                           \
    }                                                                                           \
    for (long w = 0; w < count; w++, a += step, b += WIDTH) {                                   \
      words x[VECTORS];                                                                         \
      UNROLL for (int v = 0; v < VECTORS; v++) x[v] = *(const unaligned *)(b + 16 * v);         \
      UNROLL for (int m = 0; m < H; m++) {                                                      \
        const words s = SPLAT(a[m]);                                                            \
        UNROLL for (int v = 0; v < VECTORS; v++) sum[m][v] = MULTIPLY(sum[m][v], s, x[v]);      \
      }                                                                                         \
    }                                                                                           \
    UNROLL for (int m = 0; m < H; m++) UNROLL for (int v = 0; v < VECTORS; v++) {               \
      ct_lanes *out = (ct_lanes *)(c + m * stride + 16 * v);                                    \
      *out = accumulate ? *out + sum[m][v] : sum[m][v];                                         \
    }                                                                                           \
  }

typedef void tile(const uint32_t *, long, const uint32_t *, long, float *, long, int);
#if TALLEST == 14
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7)
TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
static tile *const tiles[] = {NULL,   tile_1, tile_2,  tile_3,  tile_4,  tile_5,  tile_6, tile_7,
                              tile_8, tile_9, tile_10, tile_11, tile_12, tile_13, tile_14};
#elif TALLEST == 6
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
static tile *const tiles[] = {NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};
#else
TILE(1) TILE(2)
static tile *const tiles[] = {NULL, tile_1, tile_2};
#endif

static inline long parts_of(long count, long most) { return (count + most - 1) / most; }

// How many of `count` rows or columns to pack at once, in at most `most` panels of `size`.
static inline long even(long count, long most, long size) {
  const long panels = parts_of(count, size);
  return parts_of(panels, parts_of(panels, most)) * size;
}

// A tile at the right edge: only `columns` columns of the result exist.
static void edge(long rows, long columns, const uint32_t *a, long step, const uint32_t *b,
                 long count, float *c, long stride, int accumulate) {
  float own[TALLEST * WIDTH];
  tiles[rows](a, step, b, count, own, WIDTH, 0);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      float *out = c + i * stride + j;
      *out = accumulate ? *out + own[i * WIDTH + j] : own[i * WIDTH + j];
    }
}

static void multiply_blocks(const ct_product *p, uint32_t *panels, int rounds) {
  if (p->rows <= 0 || p->columns <= 0) return;
  const factor left = {p->a, p->a_row, p->a_inner, p->rows, p->inner};
  const factor right = {p->b, p->b_column, p->b_inner, p->columns, p->inner};
  uint32_t *const columns_packed = panels + CT_LEFT_WORDS;

  // Depths and heights are nearly equal, so that no part is a sliver.
  const long all = parts_of(p->inner, WORD_VALUES);
  const long parts = all > 0 ? parts_of(all, DEPTH) : 1, depth = parts_of(all, parts);
  const long height = parts_of(p->rows, parts_of(p->rows, TALLEST));
  const long left_size = depth * height + SLACK, right_size = depth * WIDTH + SLACK;
  const long rows_at_once = even(p->rows, CT_LEFT_WORDS / left_size, height);
  const long columns_at_once = even(p->columns, CT_RIGHT_WORDS / right_size, WIDTH);

  for (long j = 0; j < p->columns; j += columns_at_once) {
    const long columns = p->columns - j < columns_at_once ? p->columns - j : columns_at_once;
    for (long part = 0; part < parts; part++) {
      const long word = part * depth, count = all - word < depth ? all - word : depth;
      const int accumulate = p->accumulate || part > 0;
      pack(&right, j, columns, word, count, WIDTH, right_size, rounds, columns_packed);
      for (long i = 0; i < p->rows; i += rows_at_once) {
        const long rows = p->rows - i < rows_at_once ? p->rows - i : rows_at_once;
        pack(&left, i, rows, word, count, height, left_size, rounds, panels);
        for (long jj = 0; jj < columns; jj += WIDTH) {
          const uint32_t *b = columns_packed + jj / WIDTH * right_size;
          for (long ii = 0; ii < rows; ii += height) {
            const uint32_t *a = panels + ii / height * left_size;
            float *c = p->c + (i + ii) * p->c_row + j + jj;
            const long tall = rows - ii < height ? rows - ii : height;
            if (columns - jj < WIDTH)
              edge(tall, columns - jj, a, height, b, count, c, p->c_row, accumulate);
            else
              tiles[tall](a, height, b, count, c, p->c_row, accumulate);
          }
        }
      }
    }
  }
}
