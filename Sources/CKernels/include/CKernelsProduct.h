// Matrix products of training: f32 matrices in memory, multiplied as f32 or rounded to bf16 first.
//
// Blocks of both factors are packed into panels that tiles of the result run along; sums are f32.
// Every build adds in an order that depends on the sizes alone: results don't differ between two runs
// on one machine, nor with the threads that work beside. They do differ between builds in the last
// bits, and rows may take other sums in another company, so nothing here serves the target's path.
#ifndef CKERNELS_PRODUCT_H
#define CKERNELS_PRODUCT_H

/// c[i][j] = sum over p of a(i, p) * b(p, j), or += with `accumulate`.
///
/// a(i, p) is a[i * a_row + p * a_inner] and b(p, j) is b[p * b_inner + j * b_column]; of the two
/// strides of a factor at least one is 1. Rows of c are c_row apart. With `inner` 0 the sum is 0.
typedef struct {
  long rows, columns, inner;
  const float *a;
  long a_row, a_inner;
  const float *b;
  long b_inner, b_column;
  float *c;
  long c_row;
  int accumulate;
} ct_product;

/// Multiplies f32 values, on the calling thread. The first call of a thread allocates its panels, later
/// ones nothing.
void ct_multiply_f32(const ct_product *product);

/// Rounds both factors to bf16 (nearest even; a NaN stays a NaN) and multiplies those, with sums in
/// f32. Where the processor multiplies pairs of bf16 values, denormals count as 0.
void ct_multiply_bf16(const ct_product *product);

/// Whether the processor multiplies bf16 values faster than f32 values.
int ct_has_bf16_products(void);

/// Whether the processor has the f32 kernel that was measured faster than OpenBLAS: AVX-512.
int ct_has_fast_f32_products(void);

/// The name of the build that multiplies f32 or, with `rounds`, bf16 values.
const char *ct_product_name(int rounds);

/// The products of one instruction set, over panels that hold at least CT_PANEL_WORDS words.
typedef struct {
  const char *name;
  void (*f32)(const ct_product *, unsigned *panels);
  void (*bf16)(const ct_product *, unsigned *panels);
} ct_product_kernels;

enum {
  CT_LEFT_WORDS = (1 << 17) + (1 << 13),  // 512 rows of 256 words: half of a core's second cache
  CT_RIGHT_WORDS = (1 << 19) + (1 << 13),  // 2048 columns of 256 words
  CT_PANEL_WORDS = CT_LEFT_WORDS + CT_RIGHT_WORDS,
  CT_PRODUCT_BUILDS = 4,
};

/// One of CT_PRODUCT_BUILDS builds, for tests; NULL when this machine lacks it. The first is portable.
const ct_product_kernels *ct_product_build(int index);

#endif
