// Quantising rows to the blocks of GGUF files. Runs when a model is converted, never when one is
// used.
//
// The simple types are written as the package gguf writes them. Those with two levels of scales fit
// each sub-block by least squares, weighted by what a weight is likely to matter (its square), at
// several places of its greatest value, then round the sub-blocks' scales to integers and choose
// the weights anew. The idea is llama.cpp's (make_qkx2_quants, make_qx_quants); the code is not.
#include <float.h>
#include <math.h>
#include <string.h>

#include "CKernelsBlocks.h"
#include "blocks_layout.h"
#include "blocks_parts.h"

#pragma STDC FP_CONTRACT OFF

enum { NOT_A_NUMBER = 0x7e00 };

static float limited(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

// To the nearest integer within limits, which are small: adding 1.5 * 2^23 rounds.
static float nearest(float value, float low, float high) {
  return limited(value, low, high) + 12582912.0f - 12582912.0f;
}

// 1 / scale, and 0 where that isn't a number to compute with.
static float inverse_of(float scale) {
  const float inverse = 1 / scale;
  return fabsf(inverse) <= FLT_MAX ? inverse : 0;
}

static float least_of(const float *x, size_t count) {
  float least = x[0];
  for (size_t i = 1; i < count; i++) least = x[i] < least ? x[i] : least;
  return least;
}
static float most_of(const float *x, size_t count) {
  float most = x[0];
  for (size_t i = 1; i < count; i++) most = x[i] > most ? x[i] : most;
  return most;
}
// The value of greatest magnitude, the first of equals.
static float peak_of(const float *x, size_t count) {
  float peak = x[0];
  for (size_t i = 1; i < count; i++) peak = fabsf(x[i]) > fabsf(peak) ? x[i] : peak;
  return peak;
}

// 32 weights about zero: the peak is the lowest integer.
static void narrow_symmetric(const float *x, int bits, ck_block_parts *parts) {
  const float low = (float)(1 << (bits - 1)), scale = peak_of(x, 32) / -low,
              inverse = inverse_of(scale);
  for (int i = 0; i < 32; i++)
    parts->q[i] = (uint8_t)limited(x[i] * inverse + (low + 0.5f), 0, 2 * low - 1);
  parts->d = ck_to_half(scale);
}

// 32 weights from the least to the greatest.
static void narrow_between(const float *x, int bits, ck_block_parts *parts) {
  const float high = (float)((1 << bits) - 1), least = least_of(x, 32);
  const float scale = (most_of(x, 32) - least) / high, inverse = inverse_of(scale);
  for (int i = 0; i < 32; i++)
    parts->q[i] = (uint8_t)limited((x[i] - least) * inverse + 0.5f, 0, high);
  parts->d = ck_to_half(scale);
  parts->m = ck_to_half(least);
}

static void narrow_bytes(const float *x, ck_block_parts *parts) {
  const float scale = fabsf(peak_of(x, 32)) / 127, inverse = inverse_of(scale);
  for (int i = 0; i < 32; i++)
    parts->q[i] = (uint8_t)(128 + (int)roundf(limited(x[i] * inverse, -127, 127)));
  parts->d = ck_to_half(scale);
}

static void narrow_powers(const float *x, ck_block_parts *parts) {
  static const uint8_t values[16] = CK_MXFP4_VALUES;
  const float peak = fabsf(peak_of(x, 32));
  const int exponent = peak > 0 ? (int)floorf(log2f(peak)) + 125 : 0;
  parts->d = (uint16_t)(exponent < 0 ? 0 : exponent);
  float scale;
  const uint32_t bits = parts->d < 2 ? 0x00200000u << parts->d : (uint32_t)(parts->d - 1) << 23;
  memcpy(&scale, &bits, sizeof scale);
  for (int i = 0; i < 32; i++) {
    float least = INFINITY;
    for (uint8_t place = 0; place < 16; place++) {
      const float error = fabsf(scale * (float)(values[place] - 16) - x[i]);
      if (error >= least) continue;
      least = error;
      parts->q[i] = place;
    }
  }
}

// Scale and minimum of a sub-block: x is about scale * q - minimum, q in 0...high, minimum not
// below 0.
typedef struct {
  float scale, minimum;
} line;

static line fit_line(const float *x, size_t count, float high) {
  const float most = most_of(x, count), bottom = least_of(x, count),
              least = bottom < 0 ? bottom : 0;
  line best = {0, -least};
  if (!(most > least)) return best;
  float squares = 0;
  for (size_t i = 0; i < count; i++) squares += x[i] * x[i];
  const float usual = sqrtf(squares / (float)count);
  float fewest = INFINITY;
  for (int place = -10; place <= 10; place++) {
    const float inverse = inverse_of((most - least) / (high + 0.1f * (float)place));
    float w = 0, wx = 0, wq = 0, wqq = 0, wxq = 0, q[32];
    for (size_t i = 0; i < count; i++) {
      const float weight = usual + fabsf(x[i]);
      q[i] = nearest((x[i] - least) * inverse, 0, high);
      w += weight;
      wx += weight * x[i];
      wq += weight * q[i];
      wqq += weight * q[i] * q[i];
      wxq += weight * x[i] * q[i];
    }
    const float determinant = w * wqq - wq * wq;
    if (!(determinant > 0)) continue;
    line tried = {(w * wxq - wx * wq) / determinant, (wq * wxq - wqq * wx) / determinant};
    if (!(tried.minimum > 0)) tried = (line){wxq / wqq, 0};
    if (!(tried.scale > 0) || !(tried.scale <= FLT_MAX)) continue;
    float error = 0;
    for (size_t i = 0; i < count; i++) {
      const float off = tried.scale * q[i] - tried.minimum - x[i];
      error += (usual + fabsf(x[i])) * off * off;
    }
    if (error < fewest) {
      fewest = error;
      best = tried;
    }
  }
  if (fewest == INFINITY) best = (line){(most - least) / high, -least};
  return best;
}

// The signed scale of a sub-block about zero: x is about scale * q, q in -low...low - 1.
static float fit_scale(const float *x, size_t count, float low) {
  const float peak = peak_of(x, count);
  if (peak == 0) return 0;
  float best = peak / -low, most = 0;
  for (int place = -9; place <= 9; place++) {
    const float inverse = (0.1f * (float)place - low) / peak;
    if (!(fabsf(inverse) <= FLT_MAX)) continue;
    float wqq = 0, wxq = 0;
    for (size_t i = 0; i < count; i++) {
      const float weight = x[i] * x[i], q = nearest(x[i] * inverse, -low, low - 1);
      wqq += weight * q * q;
      wxq += weight * x[i] * q;
    }
    // What the best scale takes off the squared error.
    if (wqq > 0 && wxq * wxq > most * wqq && wxq * wxq <= FLT_MAX) {
      most = wxq * wxq / wqq;
      best = wxq / wqq;
    }
  }
  return best;
}

// 256 weights in sub-blocks with scales and minima of `scale_bits`.
static void narrow_lines(const float *x, int bits, size_t sub, int scale_bits,
                         ck_block_parts *parts) {
  const float high = (float)((1 << bits) - 1), top = (float)((1 << scale_bits) - 1);
  const size_t subs = 256 / sub;
  line lines[16];
  float scale = 0, minimum = 0;
  for (size_t b = 0; b < subs; b++) {
    lines[b] = fit_line(x + b * sub, sub, high);
    scale = lines[b].scale > scale ? lines[b].scale : scale;
    minimum = lines[b].minimum > minimum ? lines[b].minimum : minimum;
  }
  parts->d = ck_to_half(scale / top);
  parts->m = ck_to_half(minimum / top);
  const float d = ck_half(parts->d), m = ck_half(parts->m);
  for (size_t b = 0; b < subs; b++) {
    parts->scales[b] = (uint8_t)nearest(lines[b].scale * inverse_of(d), 0, top);
    parts->minima[b] = (uint8_t)nearest(lines[b].minimum * inverse_of(m), 0, top);
    const float s = d * (float)parts->scales[b], least = m * (float)parts->minima[b];
    const float inverse = inverse_of(s);
    for (size_t i = b * sub; i < (b + 1) * sub; i++)
      parts->q[i] = (uint8_t)nearest((x[i] + least) * inverse, 0, high);
  }
}

// 256 weights about zero in sub-blocks of 16 with signed scales of `scale_bits`, which are stored
// plus `offset`.
static void narrow_scales(const float *x, int bits, int scale_bits, int offset,
                          ck_block_parts *parts) {
  const float low = (float)(1 << (bits - 1)), top = (float)(1 << (scale_bits - 1));
  float scales[16];
  for (size_t b = 0; b < 16; b++) scales[b] = fit_scale(x + b * 16, 16, low);
  parts->d = ck_to_half(peak_of(scales, 16) / -top);
  const float d = ck_half(parts->d);
  for (size_t b = 0; b < 16; b++) {
    const float s = nearest(scales[b] * inverse_of(d), -top, top - 1);
    parts->scales[b] = (uint8_t)((int)s + offset);
    const float inverse = inverse_of(d * s);
    for (size_t i = b * 16; i < (b + 1) * 16; i++)
      parts->q[i] = (uint8_t)(nearest(x[i] * inverse, -low, low - 1) + low);
  }
}

static void narrow_block(ck_block_type type, const float *x, size_t columns,
                         ck_block_parts *parts) {
  memset(parts, 0, sizeof *parts);
  for (size_t i = 0; i < columns; i++)
    if (!(fabsf(x[i]) <= FLT_MAX)) {
      parts->d = type == CK_MXFP4 ? 255 : NOT_A_NUMBER;
      if (type == CK_MXFP4) memset(parts->q, 7, columns);
      return;
    }
  switch (type) {
    case CK_Q4_0: narrow_symmetric(x, 4, parts); break;
    case CK_Q5_0: narrow_symmetric(x, 5, parts); break;
    case CK_Q4_1: narrow_between(x, 4, parts); break;
    case CK_Q5_1: narrow_between(x, 5, parts); break;
    case CK_Q8_0: narrow_bytes(x, parts); break;
    case CK_MXFP4: narrow_powers(x, parts); break;
    case CK_Q2_K: narrow_lines(x, 2, 16, 4, parts); break;
    case CK_Q3_K: narrow_scales(x, 3, 6, 32, parts); break;
    case CK_Q4_K: narrow_lines(x, 4, 32, 6, parts); break;
    case CK_Q5_K: narrow_lines(x, 5, 32, 6, parts); break;
    case CK_Q6_K: narrow_scales(x, 6, 8, 0, parts); break;
    default: break;
  }
}

void ck_narrow_blocks(ck_block_type type, const float *values, size_t cols, uint8_t *row) {
  const size_t columns = ck_block_columns(type), bytes = ck_block_bytes(type);
  for (size_t c = 0; c < cols; c += columns, row += bytes) {
    float x[256] = {0};
    memcpy(x, values + c, (cols - c < columns ? cols - c : columns) * sizeof *x);
    ck_block_parts parts;
    narrow_block(type, x, columns, &parts);
    ck_join_block(type, &parts, row);
  }
}
