// The quantised activations of one call, on one thread.
//
// Each row's groups of 32 have a scale of their own: amax / 127. `offsets` is what unsigned weights
// add to a group's sum, negated: -(offset of the weights) * (sum of the group's values).
#ifndef CK_QUANTIZED_ROWS_H
#define CK_QUANTIZED_ROWS_H

#include "CKernelsQuantized.h"

typedef struct {
  int8_t values[2 * CK_QUANTIZED_MAX_COLUMNS];  // [rows][groups][32] of int8 or int16
  float scales[2 * CK_QUANTIZED_MAX_COLUMNS / CK_GROUP];     // [rows][groups]
  int32_t offsets[2 * CK_QUANTIZED_MAX_COLUMNS / CK_GROUP];  // [rows][groups]
} ck_quantized_rows;

// One for all builds: static thread storage comes out of every thread's stack.
extern _Thread_local ck_quantized_rows ck_activations;

#endif
