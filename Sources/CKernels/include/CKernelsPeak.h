// How fast this processor multiplies when nothing keeps it waiting: the peak that products of weights
// are measured against.
#ifndef CKERNELS_PEAK_H
#define CKERNELS_PEAK_H

#include <stddef.h>

/// What the instructions of a product multiply.
typedef enum {
  CK_ARITHMETIC_F32,   // f32 values
  CK_ARITHMETIC_BF16,  // pairs of bf16 values; f32 values where there is no such instruction
  CK_ARITHMETIC_INT8,  // weights of up to 8 bits with int8 activations
  CK_ARITHMETIC_INT4,  // weights of up to 4 bits, which AVX2 multiplies twice as fast
} ck_arithmetic;

/// Multiplies values in registers with the instructions of the build in use, `turns` times over, each
/// product added to one of as many sums as keep the units busy.
///
/// Returns how many multiplications that were: at least 1 for each turn.
size_t ck_multiply_in_registers(ck_arithmetic kind, size_t turns);

#endif
