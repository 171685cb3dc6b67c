// Packing of weight matrices into panels, and rounding to bf16. Runs once, when a model loads.
#include <string.h>

#include "CKernels.h"

static uint16_t narrow(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);  // a quiet NaN
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

void ck_narrow_bf16(const float *x, uint16_t *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = narrow(x[i]);
}

void ck_pack_f32(const float *w, size_t stride, size_t rows, size_t cols, size_t row0, float *out) {
  for (size_t i = 0; i < CK_PANEL; i++)
    for (size_t c = 0; c < cols; c++)
      out[c * CK_PANEL + i] = row0 + i < rows ? w[(row0 + i) * stride + c] : 0;
}

void ck_pack_bf16(const float *w, size_t stride, size_t rows, size_t cols, size_t row0,
                  uint16_t *out) {
  for (size_t i = 0; i < CK_PANEL; i++)
    for (size_t c = 0; c < (cols + 1) / 2 * 2; c++)
      out[(c / 2 * CK_PANEL + i) * 2 + c % 2] =
          row0 + i < rows && c < cols ? narrow(w[(row0 + i) * stride + c]) : 0;
}

void ck_pack_bf16_raw(const uint16_t *w, size_t stride, size_t rows, size_t cols, size_t row0,
                      uint16_t *out) {
  for (size_t i = 0; i < CK_PANEL; i++)
    for (size_t c = 0; c < (cols + 1) / 2 * 2; c++)
      out[(c / 2 * CK_PANEL + i) * 2 + c % 2] =
          row0 + i < rows && c < cols ? w[(row0 + i) * stride + c] : 0;
}
