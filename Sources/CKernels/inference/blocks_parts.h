// A block of a GGUF file, taken apart.
#ifndef CK_BLOCKS_PARTS_H
#define CK_BLOCKS_PARTS_H
#include "CKernelsBlocks.h"

typedef struct {
  uint8_t q[256];      // weights, unsigned; of MXFP4 the places in its table
  uint16_t d, m;       // f16, or an exponent
  uint8_t scales[16];  // of sub-blocks, as they are stored
  uint8_t minima[16];
} ck_block_parts;

/// Takes a block apart, and puts one together.
void ck_split_block(ck_block_type type, const uint8_t *block, ck_block_parts *parts);
void ck_join_block(ck_block_type type, const ck_block_parts *parts, uint8_t *block);

/// The first `count` values of a block.
void ck_widen_parts(ck_block_type type, const ck_block_parts *parts, size_t count, float *out);

#endif
