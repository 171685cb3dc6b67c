// Quantising weights and packing them into panels. Runs when a model loads or is converted.
#include <math.h>
#include <string.h>

#include "CKernels.h"
#include "vector.inc.h"

static size_t groups_of(size_t cols) { return (cols + CK_GROUP - 1) / CK_GROUP; }

// Bytes of the weights of a group and of a block of two groups with their scales.
static size_t group_bytes(int bits) { return CK_GROUP * CK_PANEL * (size_t)bits / 8; }
static size_t block_bytes(int bits) { return 2 * (CK_PANEL * sizeof(uint16_t) + group_bytes(bits)); }

size_t ck_quantized_panel_bytes(int bits, size_t cols) {
  return (groups_of(cols) + 1) / 2 * block_bytes(bits);
}

// A group has at most 32 values of 16 bits, a scale and an offset.
size_t ck_quantized_row_bytes(size_t cols) {
  return (groups_of(cols) * (CK_GROUP * 2 + sizeof(float) + sizeof(int32_t)) + 63) / 64 * 64;
}

float ck_half(uint16_t bits) {
  const uint32_t exponent = bits >> 10 & 31, sign = (uint32_t)(bits & 0x8000) << 16;
  uint32_t wide = (uint32_t)(bits & 0x7fff) << 13;
  if (exponent == 31) {
    wide |= 0x7f800000;
  } else if (exponent) {
    wide += 112u << 23;
  } else {
    const float small = (float)(bits & 0x3ff) * 0x1p-24f;
    memcpy(&wide, &small, sizeof wide);
  }
  wide |= sign;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

uint16_t ck_to_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= 0x477ff000) return sign | 0x7bff;
  if (bits < 0x38800000) {  // below 2^-14: a multiple of 2^-24
    const float magnitude = fabsf(value) * 0x1p24f;
    return sign | (uint16_t)rintf(magnitude);
  }
  bits += 0xfff + (bits >> 13 & 1);
  return sign | (uint16_t)((bits >> 13) - (112u << 10));
}

// Values to the nearest integers, ties to even; magnitudes below 2^22.
INLINE void round16(f16v *v) { *v = (*v + 12582912.0f) - 12582912.0f; }

INLINE void limit16(f16v *v, float low, float high) {
  *v = SELECT(*v < low, SPLAT(low), *v);
  *v = SELECT(*v > high, SPLAT(high), *v);
}

// The group's nearest integers by a scale.
INLINE void divide16(const f16v w[2], float scale, float low, float high, f16v q[2]) {
  const float inverse = scale != 0 ? 1 / scale : 0;
  for (int i = 0; i < 2; i++) {
    q[i] = w[i] * SPLAT(inverse);
    limit16(&q[i], low, high);  // first, because rounding is for small numbers
    round16(&q[i]);
  }
}

// The scale of a group of 4-bit weights. The value of greatest magnitude, `peak`, sits at about -8;
// of a few places near it the one with the least squared error wins, the first of equals.
static uint16_t scale_of_4_bits(const f16v w[2], float peak) {
  static const float places[] = {-8, -7.25f, -7.5f, -7.75f, -8.25f, -8.5f, -8.75f, 7, -9, -9.5f};
  uint16_t best = ck_to_half(peak / places[0]);  // stays where squares overflow
  float least = INFINITY;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    const uint16_t half = ck_to_half(peak / places[i]);
    const float scale = ck_half(half);
    f16v q[2];
    divide16(w, scale, -8, 7, q);
    const f16v a = w[0] - q[0] * SPLAT(scale), b = w[1] - q[1] * SPLAT(scale);
    const float error = REDUCE_ADD(a * a + b * b);
    if (error < least) {
      least = error;
      best = half;
    }
  }
  return best;
}

static void quantize_group(int bits, const float *w, size_t count, int8_t *q, uint16_t *scale) {
  float padded[CK_GROUP] = {0};
  memcpy(padded, w, count * sizeof *w);
  float peak = 0;
  int finite = 1;
  for (size_t c = 0; c < CK_GROUP; c++) {
    if (fabsf(padded[c]) > fabsf(peak)) peak = padded[c];
    finite &= fabsf(padded[c]) <= 3.4028235e38f;
  }
  if (!finite) {
    memset(q, 0, count);
    *scale = 0x7e00;
    return;
  }
  const f16v values[2] = {LOAD(padded), LOAD(padded + 16)};
  *scale = bits == 8 ? ck_to_half(fabsf(peak) / 127) : scale_of_4_bits(values, peak);
  f16v rounded[2];
  divide16(values, ck_half(*scale), bits == 8 ? -127 : -8, bits == 8 ? 127 : 7, rounded);
  for (size_t c = 0; c < count; c++) q[c] = (int8_t)rounded[c / 16][c % 16];
}

void ck_quantize_row(int bits, const float *w, size_t cols, int8_t *q, uint16_t *scales) {
  for (size_t c = 0; c < cols; c += CK_GROUP) {
    const size_t count = cols - c < CK_GROUP ? cols - c : CK_GROUP;
    quantize_group(bits, w + c, count, q + c, scales + c / CK_GROUP);
  }
}

void ck_pack_quantized(int bits, const int8_t *q, const uint16_t *scales, size_t rows, size_t cols,
                       uint8_t *panel) {
  const size_t groups = groups_of(cols), padded = (groups + 1) / 2 * 2;
  const size_t columns = (size_t)32 / (size_t)bits;  // of a step: 4 or 8
  for (size_t g = 0; g < padded; g++) {
    uint8_t *block = panel + g / 2 * block_bytes(bits);
    uint16_t *scale = (uint16_t *)(void *)(block + g % 2 * CK_PANEL * sizeof(uint16_t));
    uint8_t *out = block + 2 * CK_PANEL * sizeof(uint16_t) + g % 2 * group_bytes(bits);
    for (size_t r = 0; r < CK_PANEL; r++) {
      const int present = r < rows && g < groups;
      scale[r] = present ? scales[r * groups + g] : 0;
      for (size_t k = 0; k < CK_GROUP; k++) {
        const size_t c = g * CK_GROUP + k;
        const int value = present && c < cols ? q[r * cols + c] : 0;
        uint8_t *byte = out + (k / columns * CK_PANEL + r) * 4 + k % 4;
        if (bits == 8)
          *byte = (uint8_t)(value + 128);
        else if (k % 8 < 4)
          *byte = (uint8_t)(value + 8);
        else
          *byte |= (uint8_t)((value + 8) << 4);
      }
    }
  }
}

void ck_unpack_quantized(int bits, const uint8_t *panel, size_t lane, size_t cols, float *out) {
  for (size_t c = 0; c < cols; c++) {
    const size_t g = c / CK_GROUP, k = c % CK_GROUP, columns = (size_t)32 / (size_t)bits;
    const uint8_t *block = panel + g / 2 * block_bytes(bits);
    uint16_t scale;
    memcpy(&scale, block + (g % 2 * CK_PANEL + lane) * sizeof scale, sizeof scale);
    const uint8_t byte = block[2 * CK_PANEL * sizeof scale + g % 2 * group_bytes(bits) +
                               (k / columns * CK_PANEL + lane) * 4 + k % 4];
    const int value = bits == 8 ? byte - 128 : (k % 8 < 4 ? byte & 15 : byte >> 4) - 8;
    out[c] = ck_half(scale) * (float)value;
  }
}

void ck_pair_int4(const int8_t *q, size_t cols, uint8_t *out) {
  for (size_t c = 0; c < cols; c += 2)
    out[c / 2] = (uint8_t)((q[c] + 8) | ((c + 1 < cols ? q[c + 1] : 0) + 8) << 4);
}

void ck_unpair_int4(const uint8_t *in, size_t cols, int8_t *q) {
  for (size_t c = 0; c < cols; c++)
    q[c] = (int8_t)((c % 2 ? in[c / 2] >> 4 : in[c / 2] & 15) - 8);
}

void ck_widen_int4(const uint8_t *in, const uint16_t *scales, size_t cols, float *out) {
  for (size_t c = 0; c < cols; c += CK_GROUP) {
    const float scale = ck_half(scales[c / CK_GROUP]);
    const size_t end = cols - c < CK_GROUP ? cols : c + CK_GROUP;
    for (size_t i = c; i < end; i++) {
      const int byte = in[i / 2];
      out[i] = scale * (float)((i % 2 ? byte >> 4 : byte & 15) - 8);
    }
  }
}

void ck_widen_int8(const int8_t *q, const uint16_t *scales, size_t cols, float *out) {
  for (size_t c = 0; c < cols; c += CK_GROUP) {
    const float scale = ck_half(scales[c / CK_GROUP]);
    const size_t end = cols - c < CK_GROUP ? cols : c + CK_GROUP;
    for (size_t i = c; i < end; i++) out[i] = scale * (float)q[i];
  }
}
