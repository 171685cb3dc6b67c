// Weights in the blocks of GGUF files, and their products: a matrix is computed on as it is stored.
//
// A block is 32 or 256 columns of a row. Its weights are small integers q; the scale of a sub-block
// of 32 or 16 columns is an f16 d, or an f16 d of the block times a small integer; some types add a
// minimum m of the sub-block:
//
//   type          block  bytes  weight               sub-block  scale
//   Q4_0, Q8_0       32  18 34  d * (q - 8), d * q          32  f16
//   Q4_1             32     20  d * q + m                   32  f16, minimum f16
//   Q5_0             32     22  d * (q - 16)                32  f16
//   Q5_1             32     24  d * q + m                   32  f16, minimum f16
//   MXFP4            32     17  d * value of q              32  power of two
//   Q2_K            256     84  d * s * q - dmin * m        16  4 bits, minimum 4 bits
//   Q3_K            256    110  d * (s - 32) * (q - 4)      16  6 bits
//   Q4_K, Q5_K      256 144 176 d * s * q - dmin * m        32  6 bits, minimum 6 bits
//   Q6_K            256    210  d * s * (q - 32)            16  8 bits, signed
//
// Panels of 16 output rows hold the same bits in another order, and take as many bytes (Q3_K 1.8 %
// more, Q6_K 1 %, since vectors begin at cache lines). Panels of Q4_0 and Q8_0 are those of int4
// and int8 (CKernelsQuantized.h), which have the same values.
//
// A panel is a sequence of spans of `span` groups of 32 columns: the scales of the span, `header`
// bytes, then the weights of each group in vectors of [16 outputs][4 bytes]. With 4 bits, a
// vector's low halves are columns 0...3 of eight, the high halves columns 4...7; with 2 bits, bits
// 2p and 2p + 1 are columns 4p...4p + 3 of sixteen. A fifth or third bit is one more vector, bit p
// for columns 4p...4p + 3 of the group; the fifth and sixth are two more, as 2 bits are. See
// blocks_layout.h.
//
// A product quantises activations to int8 in groups of 32 columns, one f32 scale each. Of a sub-block
// b it multiplies integers exactly, s[b] = sum over c in b of (q[c] - offset) * x8[c], and sums
// x8[c] exactly; scale[b] and minimum[b] are exact in f32. Groups g are one chain for each output:
//
//   one sub-block:   y = fma(float(s), scale * xscale[g], y)
//     with minima:   y = fma(minimum, xsum, y), where xsum = xscale[g] * float(sum over c of x8[c])
//   two sub-blocks:  y = fma(h, xscale[g], y), h = fma(float(s[1]), scale[1], float(s[0]) * scale[0])
//     with minima:   y += fma(h, xscale[g], fma(minimum[1], xsum[1], minimum[0] * xsum[0]))
//
// So every instruction set agrees to the bit, and rows are invariant to the call that they share.
#ifndef CKERNELS_BLOCKS_H
#define CKERNELS_BLOCKS_H

#include "CKernels.h"

/// Types of blocks, by the numbers that GGUF has for them.
typedef enum {
  CK_Q4_0 = 2,
  CK_Q4_1 = 3,
  CK_Q5_0 = 6,
  CK_Q5_1 = 7,
  CK_Q8_0 = 8,
  CK_Q2_K = 10,
  CK_Q3_K = 11,
  CK_Q4_K = 12,
  CK_Q5_K = 13,
  CK_Q6_K = 14,
  CK_MXFP4 = 39,
} ck_block_type;

/// Columns of a block: 32 or 256; 0 if there is no such type.
size_t ck_block_columns(ck_block_type type);
/// Bytes of a block.
size_t ck_block_bytes(ck_block_type type);
/// Bytes of a row of blocks; the last block may have columns to spare.
size_t ck_block_row_bytes(ck_block_type type, size_t cols);

/// A row of blocks as f32, out[cols]: to the bit what the package gguf gives.
void ck_widen_blocks(ck_block_type type, const uint8_t *row, size_t cols, float *out);

/// Quantises a row to blocks; columns to spare become zero.
///
/// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and MXFP4 are to the bit what the package gguf writes of finite
/// values. The others search for the scales of least weighted error. A scale beyond f16 becomes the
/// greatest f16. A block that holds an infinity or a NaN becomes NaN, of MXFP4 infinity.
void ck_narrow_blocks(ck_block_type type, const float *values, size_t cols, uint8_t *row);

/// A row of Q4_0 or Q8_0 as ck_pack_quantized takes it: q[cols], scales[(cols + 31) / 32].
void ck_integers_of_blocks(ck_block_type type, const uint8_t *row, size_t cols, int8_t *q,
                           uint16_t *scales);

/// Bytes of a panel of 16 output rows. Of panels, types are all but Q4_0 and Q8_0.
size_t ck_block_panel_bytes(ck_block_type type, size_t cols);
/// Packs `count` rows of blocks, `stride` bytes apart, into a panel; rows at and past `count` are
/// zero.
void ck_pack_blocks(ck_block_type type, const uint8_t *rows, size_t stride, size_t count,
                    size_t cols, uint8_t *panel);
/// One row of a panel as blocks again, to the byte.
void ck_unpack_blocks(ck_block_type type, const uint8_t *panel, size_t lane, size_t cols,
                      uint8_t *row);

/// Bytes of a row of activations, quantised for products with blocks.
size_t ck_block_activation_bytes(size_t cols);
/// Quantises columns [first, first + count) of a row of activations, which x points to. `first` is
/// a multiple of CK_GROUP, and so is `count`, unless the row ends there.
void ck_quantize_for_blocks(const float *x, size_t first, size_t count, uint8_t *row);

/// The product of panels as ck_linear_f32 has it. Columns are at most
/// CK_QUANTIZED_MAX_COLUMNS.
void ck_linear_blocks(ck_block_type type, const uint8_t *w, const float *x, size_t xs, float *y,
                      size_t ys, size_t count, size_t panel0, size_t panel1, size_t rows,
                      size_t cols, ck_epilogue end);
/// The same of rows that were quantised before: x[count][ck_block_activation_bytes(cols)].
void ck_linear_blocks_quantized(ck_block_type type, const uint8_t *w, const uint8_t *x, float *y,
                                size_t ys, size_t count, size_t panel0, size_t panel1, size_t rows,
                                size_t cols, ck_epilogue end);
/// The product with activations as they are, of panels of Q4_0 and Q8_0 as well, which are those of int4
/// and int8: to the bit what ck_linear_f32 gives for the widened
/// weights.
void ck_linear_blocks_f32(ck_block_type type, const uint8_t *w, const float *x, size_t xs, float *y,
                          size_t ys, size_t count, size_t panel0, size_t panel1, size_t rows,
                          size_t cols, ck_epilogue end);

/// The product of bf16 panels with activations as they are: as ck_linear_bf16 where that doesn't round
/// them.
void ck_linear_bf16_f32(const uint16_t *w, const float *x, size_t xs, float *y, size_t ys,
                        size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols,
                        ck_epilogue end);

enum { CK_BLOCK_FORMS = 9, CK_WIDENED_FORMS = 11 };

/// The products of one instruction set, by the place of a type in blocks_layout.h.
typedef struct ck_block_kernels {
  void (*quantize)(const float *, size_t, size_t, uint8_t *);
  void (*linear[CK_BLOCK_FORMS])(const uint8_t *, const uint8_t *, float *, size_t, size_t, size_t,
                                 size_t, size_t, size_t, ck_epilogue);
  void (*linear_f32[CK_WIDENED_FORMS])(const uint8_t *, const float *, size_t, float *, size_t,
                                     size_t, size_t, size_t, size_t, size_t, ck_epilogue);
} ck_block_kernels;

/// The place of a type in the tables of ck_block_kernels; -1 if it isn't there. Q4_0 and Q8_0 are in the
/// second one only, behind the others.
int ck_block_form(ck_block_type type);

#endif
