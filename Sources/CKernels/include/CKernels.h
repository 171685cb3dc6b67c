// Kernels of the target path, one arithmetic for every instruction set.
//
// Every kernel is written once with 16-lane vectors and compiled per instruction set, so that the
// portable, AVX2 and AVX-512 builds agree to the bit. The exceptions are ck_linear_bf16 and
// ck_attend_bf16 on AVX-512 BF16, which round activations to bf16 and sum pairs in hardware.
//
// Row invariance: the value of an output element depends on its own row of activations only, never
// on how many rows share the call, on where the row stands, or on how panels are divided.
//
// Nothing here allocates or knows a model.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>

#include "CKernelsProduct.h"
#include "CKernelsTeam.h"
#include "CKernelsTraining.h"

typedef enum { CK_PORTABLE = 0, CK_AVX2 = 1, CK_AVX512 = 2, CK_AVX512BF16 = 3 } ck_isa;

/// The best instruction set this machine and build support.
ck_isa ck_isa_detect(void);
/// Selects the kernels for the whole process; a choice above what the machine has is lowered.
/// Not for use while kernels run. Returns the one chosen.
ck_isa ck_isa_select(ck_isa isa);
/// The instruction set in use.
ck_isa ck_isa_current(void);
/// A short name: "portable", "avx2", "avx512", "avx512bf16".
const char *ck_isa_name(ck_isa isa);

enum {
  CK_PANEL = 16,      // output rows interleaved in a packed panel
  CK_KEY_BLOCK = 16,  // keys interleaved in a block of the key cache
  CK_CHUNK = 256,     // absolute key positions reduced together in attention
  CK_QUERIES_AT_ONCE = 6,  // queries that share the keys loaded in attention, at least
  CK_ROUNDED_COLUMNS = 16384,  // the widest bf16 matrix that is multiplied with rounded activations
};

/// Packs rows [row0, row0 + 16) of w[rows][stride] into one panel out[cols][16]; rows past `rows`
/// are zero.
void ck_pack_f32(const float *w, size_t stride, size_t rows, size_t cols, size_t row0, float *out);
/// The same from f32 (rounded to nearest even) into a bf16 panel out[(cols + 1) / 2][16][2]; an odd
/// last column is paired with zero.
void ck_pack_bf16(const float *w, size_t stride, size_t rows, size_t cols, size_t row0,
                  uint16_t *out);
/// The same from bf16 values.
void ck_pack_bf16_raw(const uint16_t *w, size_t stride, size_t rows, size_t cols, size_t row0,
                      uint16_t *out);

/// Memory that a thread reads later.
typedef struct {
  const void *start;
  size_t bytes;
} ck_range;

/// How a matrix product ends.
typedef struct {
  const float *bias;  // [rows], added to the sum, or NULL
  int accumulate;     // nonzero: y += sum (a residual), else y = sum
  ck_range next[2];   // what this thread reads afterwards; products of many rows may fetch it
} ck_epilogue;

/// y[m][r] = sum_c w[r][c] * x[m][c] for m < count and the rows r of panels [panel0, panel1).
/// x is [count][xs], y is [count][ys]; rows at and past `rows` are not written. The sum of an
/// element is one chain of fused multiply-adds over ascending columns.
void ck_linear_f32(const float *w, const float *x, size_t xs, float *y, size_t ys, size_t count,
                   size_t panel0, size_t panel1, size_t rows, size_t cols, ck_epilogue end);
/// The same over bf16 panels.
void ck_linear_bf16(const uint16_t *w, const float *x, size_t xs, float *y, size_t ys, size_t count,
                    size_t panel0, size_t panel1, size_t rows, size_t cols, ck_epilogue end);

/// Whether ck_linear_bf16 rounds activations of so many columns to bf16. Whoever makes them may then
/// round them once for all products and threads, with the same result.
int ck_takes_rounded(size_t cols);
/// Rounds `count` values to bf16 as ck_linear_bf16 does. Only where it takes rounded activations.
void ck_round_rows(const float *x, uint16_t *out, size_t count);
/// As ck_linear_bf16 of x before rounding. x is [count][cols, even: a last odd column is followed by
/// zero]. Only where it takes rounded activations.
void ck_linear_rounded(const uint16_t *w, const uint16_t *x, float *y, size_t ys, size_t count,
                       size_t panel0, size_t panel1, size_t rows, size_t cols, ck_epilogue end);

/// y = x / sqrt(mean(x^2) + epsilon) * weight over `count` values; x and y may be the same.
void ck_rms_norm(const float *x, const float *weight, float *y, size_t count, float epsilon);
/// Rotates pairs (i, i + count / 2) of one head in place by the angles of cosine and sine
/// [count / 2].
void ck_rope(float *head, const float *cosine, const float *sine, size_t count);
/// y[i] = silu(gate[i]) * up[i]; y may be gate.
void ck_swiglu(const float *gate, const float *up, float *y, size_t count);
/// y[i] += x[i].
void ck_add(float *y, const float *x, size_t count);

/// Stores the key of one position into a head's key cache [positions / 16][dimension][16].
void ck_store_key(float *keys, const float *key, size_t position, size_t dimension);

/// The rows of a pass that see the same key-value head.
///
/// Row r sees the keys [first, end + r * step), at least one. The softmax is reduced over absolute
/// chunks of CK_CHUNK keys, which are combined in ascending order, so that a row's result does not
/// depend on the rows beside it.
typedef struct {
  const float *queries;  // [rows][heads][dimension]
  size_t query_stride;   // between rows
  float *out;            // [rows][heads][dimension]
  size_t out_stride;     // between rows
  size_t rows, heads, dimension;
  size_t first, end, step;
  float scale;  // of the scores
  ck_range next[3];  // what this thread reads afterwards, in order: fetched meanwhile
} ck_attention;

/// Attention of rows over one key-value head: keys as ck_store_key writes them; values are
/// [positions][value_stride].
void ck_attend(const ck_attention *rows, const float *keys, const float *values,
               size_t value_stride);

/// The same over a cache of bf16 values.
void ck_store_key_bf16(uint16_t *keys, const float *key, size_t position, size_t dimension);
void ck_attend_bf16(const ck_attention *rows, const uint16_t *keys, const uint16_t *values,
                    size_t value_stride);

/// The index of the greatest value; of equals the lowest. 0 when count is 0.
size_t ck_argmax(const float *x, size_t count);
/// The greatest value; -infinity when count is 0.
float ck_maximum(const float *x, size_t count);
/// The same where every value is finite; else count, and NaN.
size_t ck_finite_argmax(const float *x, size_t count);
float ck_finite_maximum(const float *x, size_t count);
/// y[i] = exp((x[i] - shift) * scale); returns the sum in a fixed order. y may be x.
float ck_exp(const float *x, float *y, size_t count, float shift, float scale);
/// x[i] *= factor.
void ck_scale(float *x, size_t count, float factor);
/// Widens bf16 values to f32.
void ck_widen_bf16(const uint16_t *x, float *y, size_t count);
/// Rounds f32 values to bf16, to nearest even; a NaN stays a NaN.
void ck_narrow_bf16(const float *x, uint16_t *y, size_t count);
/// The sum of `count` f32 words, read as fast as the machine can: the yardstick for bandwidth.
float ck_read_sum(const float *x, size_t count);

/// Writes the indices i whose noise lets them win a Gumbel race, in ascending order, and returns how
/// many: those with u * need <= exp(x[i] - top), where u in [0, 1) is the top 24 bits of the noise of
/// token tokens[i], or first + i if tokens is NULL. The noise is a function of the token and of the
/// two keys; `found` has room for count.
size_t ck_race(const float *x, const int32_t *tokens, uint32_t first, size_t count, uint32_t key0,
               uint32_t key1, float top, float need, uint32_t *found);
/// Writes the indices i with x[i] >= bound in ascending order and returns how many.
size_t ck_at_least(const float *x, size_t count, float bound, uint32_t *found);
/// x[i] = -infinity where x[i] is below bound or NaN.
void ck_mask_below(float *x, size_t count, float bound);
/// x[i] /= divisor.
void ck_divide(float *x, size_t count, float divisor);

#include "CKernelsQuantized.h"
#include "CKernelsBlocks.h"
#include "CKernelsPeak.h"
#include "CKernelsTable.h"
#endif
