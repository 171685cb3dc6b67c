// Weights in groups of 32 along the columns, int8 or int4, and their products.
//
// A weight is scale * q: one f16 scale for each group of each output row, q in -127...127 (8 bits) or
// -8...7 (4 bits). A product quantises its activations to int8, one f32 scale for each row and
// group, multiplies integers exactly, and adds the groups up in f32:
//
//   y[m][r] = sum over groups g, ascending, of
//             fma(float(sum over c in g of q[r][c] * x8[m][c]), scale[r][g] * xscale[m][g], ...)
//
// Integer sums have no order, so every instruction set agrees to the bit, the dot-product
// instructions included, and rows are invariant to the call they share.
//
// A panel of 16 output rows is a sequence of blocks of 64 columns, every block aligned to 64 bytes:
// the scales of two groups, f16[2][16], then the weights of the two groups.
//   8 bits: [8 steps][16 outputs][4 columns], a byte is q + 128 (1088 bytes a block)
//   4 bits: [4 steps][16 outputs][4 columns], the low half of a byte is q + 8 of columns 0...3 of
//           the step's eight, the high half of columns 4...7 (576 bytes a block)
#ifndef CKERNELS_QUANTIZED_H
#define CKERNELS_QUANTIZED_H

#include "CKernels.h"

enum {
  CK_GROUP = 32,                        // columns that share a scale
  CK_QUANTIZED_MAX_COLUMNS = 1 << 19,   // columns of a quantised matrix, at most
};

/// Bytes of a panel of 16 output rows; `bits` is 8 or 4.
size_t ck_quantized_panel_bytes(int bits, size_t cols);

/// Quantises one row: q[cols], and one f16 scale for each group, scales[(cols + 31) / 32].
///
/// 8 bits: the greatest magnitude becomes 127. 4 bits: the value of greatest magnitude becomes -8, or
/// close to it where another scale has a smaller squared error; scales may be negative. The result is
/// the same on every machine. A group that holds an infinity or a NaN gets a NaN scale.
void ck_quantize_row(int bits, const float *w, size_t cols, int8_t *q, uint16_t *scales);

/// Packs 16 rows q[16][cols] with scales[16][groups] into a panel; rows at and past `rows` are zero.
void ck_pack_quantized(int bits, const int8_t *q, const uint16_t *scales, size_t rows, size_t cols,
                       uint8_t *panel);

/// One row of a panel as f32, out[cols].
void ck_unpack_quantized(int bits, const uint8_t *panel, size_t lane, size_t cols, float *out);

/// Packs a row of 4-bit values two to a byte, the even column in the low half, each plus 8; an odd
/// last column is paired with zero.
void ck_pair_int4(const int8_t *q, size_t cols, uint8_t *out);

/// Takes a row of ck_pair_int4 apart.
void ck_unpair_int4(const uint8_t *in, size_t cols, int8_t *q);

/// out[c] = scale of c's group * q[c], from a row of ck_pair_int4.
void ck_widen_int4(const uint8_t *in, const uint16_t *scales, size_t cols, float *out);

/// out[c] = scale of c's group * q[c].
void ck_widen_int8(const int8_t *q, const uint16_t *scales, size_t cols, float *out);

/// Bytes of a row of quantised activations, in whichever order the instruction set in use wants them.
size_t ck_quantized_row_bytes(size_t cols);

/// Quantises columns [first, first + count) of a row of activations, which x points to, for weights of 8
/// or 4 bits. `first` is a multiple of CK_GROUP, and so is `count`, unless the row ends there.
void ck_quantize_activations(int bits, const float *x, size_t first, size_t count, size_t cols,
                             uint8_t *row);

/// The product of int8 or int4 panels as ck_linear_f32 has it. Columns are at most
/// CK_QUANTIZED_MAX_COLUMNS.
void ck_linear_integers(int bits, const uint8_t *w, const float *x, size_t xs, float *y, size_t ys,
                        size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols,
                        ck_epilogue end);

/// The same of rows that were quantised before: x[count][ck_quantized_row_bytes(cols)].
void ck_linear_quantized(int bits, const uint8_t *w, const uint8_t *x, float *y, size_t ys,
                         size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols,
                         ck_epilogue end);

/// Whether the products of the instruction set in use have dot-product instructions (VNNI).
int ck_has_dot_products(void);

/// The f32 value of an f16.
float ck_half(uint16_t bits);

/// The nearest f16, ties to even. Beyond the range it is the greatest finite one: a scale that overflows
/// should saturate, not destroy its row. A NaN stays a NaN.
uint16_t ck_to_half(float value);

#endif
