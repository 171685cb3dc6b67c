// RMSNorm over rows or heads, and rotary positions: forward and backward.
#include <math.h>

#include "CKernelsTraining.h"
#include "simd.h"

CT_CLONES void ct_rmsnorm_forward(ct_groups shape, const float *x, const float *weight,
                                  float epsilon, float *output, long output_stride,
                                  float *inverse) {
  CT_FAST long width = shape.width;
  for (long r = 0; r < shape.rows; r++) {
    for (long g = 0; g < shape.groups; g++) {
      const float *in = x + r * shape.stride + g * width;
      float *out = output + r * output_stride + g * width;
      float squares = 0;
      for (long i = 0; i < width; i++) squares += in[i] * in[i];
      float scale = 1.0f / sqrtf(squares / (float)width + epsilon);
      inverse[r * shape.groups + g] = scale;
      for (long i = 0; i < width; i++) out[i] = in[i] * scale * weight[i];
    }
  }
}

// With n = x * inverse: d_x = inverse * (w d - n mean(w d n)), d_w = sum of d n.
CT_CLONES void ct_rmsnorm_backward(ct_groups shape, const float *x, const float *weight,
                                   const float *inverse, const float *d_output, float *d_x,
                                   long d_stride, int accumulate, float *d_weight) {
  CT_FAST long width = shape.width;
  for (long r = 0; r < shape.rows; r++) {
    for (long g = 0; g < shape.groups; g++) {
      const float *in = x + r * shape.stride + g * width;
      const float *d = d_output + r * d_stride + g * width;
      float *out = d_x + r * d_stride + g * width;
      float scale = inverse[r * shape.groups + g];
      float dot = 0;
      for (long i = 0; i < width; i++) {
        dot += d[i] * weight[i] * in[i];
        d_weight[i] += d[i] * in[i] * scale;
      }
      float pull = dot * scale * scale * scale / (float)width;
      if (accumulate) {
        for (long i = 0; i < width; i++) out[i] += d[i] * weight[i] * scale - in[i] * pull;
      } else {
        for (long i = 0; i < width; i++) out[i] = d[i] * weight[i] * scale - in[i] * pull;
      }
    }
  }
}

CT_CLONES void ct_rope(ct_groups shape, float *x, const int32_t *positions, const float *cosines,
                       const float *sines, float direction) {
  CT_FAST long half = shape.width / 2;
  for (long r = 0; r < shape.rows; r++) {
    const float *c = cosines + (long)positions[r] * half;
    const float *s = sines + (long)positions[r] * half;
    for (long g = 0; g < shape.groups; g++) {
      float *a = x + r * shape.stride + g * shape.width;
      float *b = a + half;
      for (long i = 0; i < half; i++) {
        float sine = s[i] * direction, low = a[i], high = b[i];
        a[i] = low * c[i] - high * sine;
        b[i] = high * c[i] + low * sine;
      }
    }
  }
}
