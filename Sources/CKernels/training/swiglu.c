// The gated activation silu(gate) * up, forward and backward.
#include "CKernelsTraining.h"
#include "simd.h"

CT_CLONES void ct_swiglu_forward(long rows, long width, const float *gate_up, float *output) {
  CT_FAST for (long r = 0; r < rows; r++) {
    const float *gate = gate_up + r * 2 * width, *up = gate + width;
    float *out = output + r * width;
    for (long i = 0; i < width; i++) out[i] = gate[i] / (1.0f + ct_exp(-gate[i])) * up[i];
  }
}

CT_CLONES void ct_swiglu_backward(long rows, long width, const float *gate_up,
                                  const float *d_output, float *d_gate_up) {
  CT_FAST for (long r = 0; r < rows; r++) {
    const float *gate = gate_up + r * 2 * width, *up = gate + width;
    const float *d = d_output + r * width;
    float *d_gate = d_gate_up + r * 2 * width, *d_up = d_gate + width;
    for (long i = 0; i < width; i++) {
      float sigmoid = 1.0f / (1.0f + ct_exp(-gate[i]));
      float silu = gate[i] * sigmoid;
      d_up[i] = d[i] * silu;
      d_gate[i] = d[i] * up[i] * (sigmoid + silu * (1.0f - sigmoid));
    }
  }
}
