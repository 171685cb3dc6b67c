// How panels of blocks are laid out, for those who write panels and those who multiply them.
#ifndef CK_BLOCKS_LAYOUT_H
#define CK_BLOCKS_LAYOUT_H
#include "CKernels.h"

// What the header of a span holds, [16 outputs] each; u4, s6 and so on are bits of a byte:
typedef enum {
  SCALES_HALF,   // f16 d[span]
  SCALES_PAIR,   // f16 d, f16 m
  SCALES_POWER,  // u8 exponent[span]
  SCALES_4,      // f16 d, f16 dmin, u8 (s | m << 4)[16 sub-blocks]
  SCALES_6,      // f16 d, f16 dmin or nothing, u8 (low halves of a | of b << 4)[8 groups],
                 // u8 (of two groups: bits 4 and 5 of a, of b << 2, then of the other << 4)[4].
                 // Of a group, a and b are scale and minimum, or the scales of two sub-blocks
  SCALES_8,      // f16 d, nothing, s8 s[16 sub-blocks]
} ck_block_scales;

typedef struct {
  int low, high;  // bits of a weight: 4 or 2, and 0, 1 or 2 more
  int subs;       // sub-blocks of a group
  int offset;   // taken off a weight: of 16 (one sub-block) or 32 (two), after shifting by `shift`
  int shift;    // from 16 or 32 down to the offset
  int minimum;  // whether there are minima
  int table;    // whether a weight is the place of its value in a table
  ck_block_scales scales;
  int span, header;
} ck_block_layout;

enum {
  SUB_SCALES = 64,
  SCALES_6_HIGH = SUB_SCALES + 8 * CK_PANEL
};  // where they begin in a header

// By ck_block_form.
#define FORM_Q4_1 ((ck_block_layout){4, 0, 1, 0, 0, 1, 0, SCALES_PAIR, 1, 64})
#define FORM_Q5_0 ((ck_block_layout){4, 1, 1, 16, 0, 0, 0, SCALES_HALF, 2, 64})
#define FORM_Q5_1 ((ck_block_layout){4, 1, 1, 0, 0, 1, 0, SCALES_PAIR, 1, 64})
#define FORM_MXFP4 ((ck_block_layout){4, 0, 1, 16, 0, 0, 1, SCALES_POWER, 4, 64})
#define FORM_Q2_K ((ck_block_layout){2, 0, 2, 0, 0, 1, 0, SCALES_4, 8, 320})
#define FORM_Q3_K ((ck_block_layout){2, 1, 2, 4, 3, 0, 0, SCALES_6, 8, 256})
#define FORM_Q4_K ((ck_block_layout){4, 0, 1, 0, 0, 1, 0, SCALES_6, 8, 256})
#define FORM_Q5_K ((ck_block_layout){4, 1, 1, 0, 0, 1, 0, SCALES_6, 8, 256})
#define FORM_Q6_K ((ck_block_layout){4, 2, 2, 32, 0, 0, 0, SCALES_8, 8, 320})
// Panels of int4 and int8: only products of f32 activations are made of them here.
#define FORM_Q4_0 ((ck_block_layout){4, 0, 1, 8, 0, 0, 0, SCALES_HALF, 2, 64})
#define FORM_Q8_0 ((ck_block_layout){8, 0, 1, 128, 0, 0, 0, SCALES_HALF, 2, 64})
#define EACH_FORM(F) F(Q4_1) F(Q5_0) F(Q5_1) F(MXFP4) F(Q2_K) F(Q3_K) F(Q4_K) F(Q5_K) F(Q6_K)

// Bytes of a group's weights.
#define FORM_GROUP_BYTES(form) ((size_t)((form).low + (form).high) * 64)

// Where span `s` of a panel begins, every one before it complete.
#define FORM_SPAN_BYTES(form) ((form).header + (form).span * FORM_GROUP_BYTES(form))

// MXFP4's values, doubled, plus the offset.
#define CK_MXFP4_VALUES {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4}

// A group of 32 activations: a cache line.
typedef struct {
  int8_t values[CK_GROUP];
  float scale;
  int32_t offset;      // -16 * the sum of the values
  int32_t offsets[2];  // -32 * the sum of each half
  float sum;           // scale * the sum of the values
  float sums[2];       // of each half
  float spare;
} ck_block_activations;

#endif
