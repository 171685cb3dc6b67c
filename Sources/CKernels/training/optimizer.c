// Gradient sums, norms and the AdamW update.
#include "CKernelsTraining.h"
#include "simd.h"

// Sums of squares are taken over blocks in f32 and over blocks in f64.
enum { CT_BLOCK = 4096 };

CT_CLONES void ct_add(long count, const float *x, float *y) {
  for (long i = 0; i < count; i++) y[i] += x[i];
}

CT_CLONES double ct_sum_squares(long count, const float *x) {
  CT_FAST double total = 0;
  for (long start = 0; start < count; start += CT_BLOCK) {
    long end = start + CT_BLOCK < count ? start + CT_BLOCK : count;
    float sum = 0;
    for (long i = start; i < end; i++) sum += x[i] * x[i];
    total += sum;
  }
  return total;
}

CT_CLONES double ct_add_and_sum_squares(long count, const float *x, float *y) {
  CT_FAST double total = 0;
  for (long start = 0; start < count; start += CT_BLOCK) {
    long end = start + CT_BLOCK < count ? start + CT_BLOCK : count;
    float sum = 0;
    for (long i = start; i < end; i++) {
      float value = y[i] + x[i];
      y[i] = value;
      sum += value * value;
    }
    total += sum;
  }
  return total;
}

CT_CLONES void ct_round_bf16(long count, float *y) {
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, y + i, 4);
    uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    uint32_t quiet = bits | 0x400000;
    bits = (y[i] == y[i] ? rounded : quiet) & 0xffff0000;
    memcpy(y + i, &bits, 4);
  }
}

CT_CLONES void ct_pack_bf16(long count, const float *x, uint16_t *y) {
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    y[i] = (uint16_t)(bits >> 16);
  }
}

CT_CLONES void ct_unpack_bf16(long count, const uint16_t *x, float *y) {
  for (long i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(y + i, &bits, 4);
  }
}

CT_CLONES void ct_adamw(long count, ct_adamw_step step, const float *gradient, float *first,
                        float *second, float *parameters) {
  CT_FAST for (long i = 0; i < count; i++) {
    float g = gradient[i] * step.gradient_scale;
    float m = step.beta1 * first[i] + (1.0f - step.beta1) * g;
    float v = step.beta2 * second[i] + (1.0f - step.beta2) * g * g;
    first[i] = m;
    second[i] = v;
    float root = __builtin_elementwise_sqrt(v) * step.root_scale + step.epsilon;
    parameters[i] -= step.step_size * m / root + step.decay * parameters[i];
  }
}
