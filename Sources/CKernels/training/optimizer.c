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
