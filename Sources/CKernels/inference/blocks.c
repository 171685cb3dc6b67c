// Blocks of GGUF files taken apart, widened, packed into panels, and multiplied by the build in
// use.
#include "CKernelsBlocks.h"

#include <string.h>

#include "../team/thread_memory.h"
#include "CKernelsTable.h"
#include "blocks_layout.h"
#include "blocks_parts.h"

typedef struct {
  size_t columns, bytes;
} block_size;

static block_size size_of(ck_block_type type) {
  switch (type) {
    case CK_Q4_0: return (block_size){32, 18};
    case CK_Q4_1: return (block_size){32, 20};
    case CK_Q5_0: return (block_size){32, 22};
    case CK_Q5_1: return (block_size){32, 24};
    case CK_Q8_0: return (block_size){32, 34};
    case CK_MXFP4: return (block_size){32, 17};
    case CK_Q2_K: return (block_size){256, 84};
    case CK_Q3_K: return (block_size){256, 110};
    case CK_Q4_K: return (block_size){256, 144};
    case CK_Q5_K: return (block_size){256, 176};
    case CK_Q6_K: return (block_size){256, 210};
    default: return (block_size){0, 0};
  }
}

size_t ck_block_columns(ck_block_type type) { return size_of(type).columns; }
size_t ck_block_bytes(ck_block_type type) { return size_of(type).bytes; }
size_t ck_block_row_bytes(ck_block_type type, size_t cols) {
  const block_size size = size_of(type);
  return size.columns ? (cols + size.columns - 1) / size.columns * size.bytes : 0;
}

int ck_block_form(ck_block_type type) {
  int form = 0;
#define IS(name)                      \
  if (type == CK_##name) return form; \
  form++;
  EACH_FORM(IS) IS(Q4_0) IS(Q8_0)
  return -1;
}

static ck_block_layout layout_of(ck_block_type type) {
#define LAYOUT(name) FORM_##name,
  static const ck_block_layout layouts[CK_WIDENED_FORMS] = {EACH_FORM(LAYOUT) LAYOUT(Q4_0)
                                                                LAYOUT(Q8_0)};
  return layouts[ck_block_form(type)];
}

static size_t groups_of(size_t cols) { return (cols + CK_GROUP - 1) / CK_GROUP; }

// A block, taken apart.

// Two halves of bytes: the low ones of `count` weights, then the high ones.
static void split_halves(const uint8_t *in, size_t count, uint8_t *q) {
  for (size_t i = 0; i < count; i++) {
    q[i] = in[i] & 15;
    q[count + i] = in[i] >> 4;
  }
}
static void join_halves(const uint8_t *q, size_t count, uint8_t *out) {
  for (size_t i = 0; i < count; i++) out[i] = (uint8_t)((q[i] & 15) | (q[count + i] & 15) << 4);
}

// `bits` further bits of weights, at `from` in a weight: byte i of `bytes` has them for the weights
// i, bytes + i and so on.
static void split_more(const uint8_t *in, size_t bytes, int bits, int from, uint8_t *q) {
  for (size_t k = 0; k < (size_t)(8 / bits); k++)
    for (size_t i = 0; i < bytes; i++)
      q[k * bytes + i] |= (uint8_t)((in[i] >> (k * (size_t)bits) & ((1 << bits) - 1)) << from);
}
static void join_more(const uint8_t *q, size_t bytes, int bits, int from, uint8_t *out) {
  memset(out, 0, bytes);
  for (size_t k = 0; k < (size_t)(8 / bits); k++)
    for (size_t i = 0; i < bytes; i++)
      out[i] |= (uint8_t)((q[k * bytes + i] >> from & ((1 << bits) - 1)) << (k * (size_t)bits));
}

// The fifth bits of 32 weights, one after the other.
static void split_fifth(const uint8_t *in, uint8_t *q) {
  for (size_t i = 0; i < 32; i++) q[i] |= (uint8_t)((in[i / 8] >> i % 8 & 1) << 4);
}
static void join_fifth(const uint8_t *q, uint8_t *out) {
  memset(out, 0, 4);
  for (size_t i = 0; i < 32; i++) out[i / 8] |= (uint8_t)((q[i] >> 4 & 1) << i % 8);
}

// Eight scales and minima of 6 bits.
static void split_six(const uint8_t *in, uint8_t *scales, uint8_t *minima) {
  for (int i = 0; i < 4; i++) {
    scales[i] = in[i] & 63;
    minima[i] = in[4 + i] & 63;
    scales[4 + i] = (uint8_t)((in[8 + i] & 15) | (in[i] >> 6) << 4);
    minima[4 + i] = (uint8_t)(in[8 + i] >> 4 | (in[4 + i] >> 6) << 4);
  }
}
static void join_six(const uint8_t *scales, const uint8_t *minima, uint8_t *out) {
  for (int i = 0; i < 4; i++) {
    out[i] = (uint8_t)(scales[i] | (scales[4 + i] >> 4) << 6);
    out[4 + i] = (uint8_t)(minima[i] | (minima[4 + i] >> 4) << 6);
    out[8 + i] = (uint8_t)((scales[4 + i] & 15) | (minima[4 + i] & 15) << 4);
  }
}

// Sixteen scales of 6 bits.
static void split_sixteen(const uint8_t *in, uint8_t *scales) {
  for (int i = 0; i < 16; i++)
    scales[i] = (uint8_t)((in[i % 8] >> i / 8 * 4 & 15) | (in[8 + i % 4] >> i / 4 * 2 & 3) << 4);
}
static void join_sixteen(const uint8_t *scales, uint8_t *out) {
  memset(out, 0, 12);
  for (int i = 0; i < 16; i++) {
    out[i % 8] |= (uint8_t)((scales[i] & 15) << i / 8 * 4);
    out[8 + i % 4] |= (uint8_t)(scales[i] >> 4 << i / 4 * 2);
  }
}

static uint16_t load16(const uint8_t *in) { return (uint16_t)(in[0] | in[1] << 8); }
static void store16(uint16_t value, uint8_t *out) {
  out[0] = (uint8_t)value;
  out[1] = (uint8_t)(value >> 8);
}

void ck_split_block(ck_block_type type, const uint8_t *in, ck_block_parts *parts) {
  uint8_t *q = parts->q;
  memset(parts, 0, sizeof *parts);
  switch (type) {
    case CK_Q4_0:
    case CK_Q4_1:
    case CK_Q5_0:
    case CK_Q5_1:
      parts->d = load16(in);
      in += 2;
      if (type == CK_Q4_1 || type == CK_Q5_1) {
        parts->m = load16(in);
        in += 2;
      }
      if (type == CK_Q4_0 || type == CK_Q4_1) {
        split_halves(in, 16, q);
      } else {
        split_halves(in + 4, 16, q);
        split_fifth(in, q);
      }
      break;
    case CK_Q8_0:
      parts->d = load16(in);
      for (int i = 0; i < 32; i++) q[i] = in[2 + i] ^ 128;
      break;
    case CK_MXFP4:
      parts->d = in[0];
      split_halves(in + 1, 16, q);
      break;
    case CK_Q2_K:
      for (int i = 0; i < 16; i++) {
        parts->scales[i] = in[i] & 15;
        parts->minima[i] = in[i] >> 4;
      }
      for (int half = 0; half < 2; half++)
        split_more(in + 16 + half * 32, 32, 2, 0, q + half * 128);
      parts->d = load16(in + 80);
      parts->m = load16(in + 82);
      break;
    case CK_Q3_K:
      for (int half = 0; half < 2; half++)
        split_more(in + 32 + half * 32, 32, 2, 0, q + half * 128);
      split_more(in, 32, 1, 2, q);
      split_sixteen(in + 96, parts->scales);
      parts->d = load16(in + 108);
      break;
    case CK_Q4_K:
    case CK_Q5_K:
      parts->d = load16(in);
      parts->m = load16(in + 2);
      split_six(in + 4, parts->scales, parts->minima);
      in += type == CK_Q5_K ? 48 : 16;
      for (int i = 0; i < 4; i++) split_halves(in + i * 32, 32, q + i * 64);
      if (type == CK_Q5_K) split_more(in - 32, 32, 1, 4, q);
      break;
    case CK_Q6_K:
      for (int half = 0; half < 2; half++) {
        split_halves(in + half * 64, 64, q + half * 128);
        split_more(in + 128 + half * 32, 32, 2, 4, q + half * 128);
      }
      memcpy(parts->scales, in + 192, 16);
      parts->d = load16(in + 208);
      break;
    default: break;
  }
}

void ck_join_block(ck_block_type type, const ck_block_parts *parts, uint8_t *out) {
  const uint8_t *q = parts->q;
  switch (type) {
    case CK_Q4_0:
    case CK_Q4_1:
    case CK_Q5_0:
    case CK_Q5_1:
      store16(parts->d, out);
      out += 2;
      if (type == CK_Q4_1 || type == CK_Q5_1) {
        store16(parts->m, out);
        out += 2;
      }
      if (type == CK_Q5_0 || type == CK_Q5_1) {
        join_fifth(q, out);
        out += 4;
      }
      join_halves(q, 16, out);
      break;
    case CK_Q8_0:
      store16(parts->d, out);
      for (int i = 0; i < 32; i++) out[2 + i] = q[i] ^ 128;
      break;
    case CK_MXFP4:
      out[0] = (uint8_t)parts->d;
      join_halves(q, 16, out + 1);
      break;
    case CK_Q2_K:
      for (int i = 0; i < 16; i++) out[i] = (uint8_t)(parts->scales[i] | parts->minima[i] << 4);
      for (int half = 0; half < 2; half++)
        join_more(q + half * 128, 32, 2, 0, out + 16 + half * 32);
      store16(parts->d, out + 80);
      store16(parts->m, out + 82);
      break;
    case CK_Q3_K:
      join_more(q, 32, 1, 2, out);
      for (int half = 0; half < 2; half++)
        join_more(q + half * 128, 32, 2, 0, out + 32 + half * 32);
      join_sixteen(parts->scales, out + 96);
      store16(parts->d, out + 108);
      break;
    case CK_Q4_K:
    case CK_Q5_K:
      store16(parts->d, out);
      store16(parts->m, out + 2);
      join_six(parts->scales, parts->minima, out + 4);
      out += type == CK_Q5_K ? 48 : 16;
      for (int i = 0; i < 4; i++) join_halves(q + i * 64, 32, out + i * 32);
      if (type == CK_Q5_K) join_more(q, 32, 1, 4, out - 32);
      break;
    case CK_Q6_K:
      for (int half = 0; half < 2; half++) {
        join_halves(q + half * 128, 64, out + half * 64);
        join_more(q + half * 128, 32, 2, 4, out + 128 + half * 32);
      }
      memcpy(out + 192, parts->scales, 16);
      store16(parts->d, out + 208);
      break;
    default: break;
  }
}

// Rows as f32.

static float power_of(uint8_t exponent) {
  const uint32_t bits = exponent < 2 ? 0x00200000u << exponent : (uint32_t)(exponent - 1) << 23;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Scale and minimum of sub-block `b` of a block, of 32 or 16 columns.
static void scale_of(ck_block_type type, const ck_block_parts *parts, size_t b, float *scale,
                     float *minimum) {
  if (type == CK_MXFP4) {
    *scale = power_of((uint8_t)parts->d);
    return;
  }
  const float d = ck_half(parts->d), m = ck_half(parts->m);
  switch (type) {
    case CK_Q2_K:
    case CK_Q4_K:
    case CK_Q5_K:
      *scale = d * (float)parts->scales[b];
      *minimum = -(m * (float)parts->minima[b]);
      break;
    case CK_Q3_K: *scale = d * (float)(parts->scales[b] - 32); break;
    case CK_Q6_K: *scale = d * (float)(int8_t)parts->scales[b]; break;
    default: *scale = d; *minimum = m;
  }
}

void ck_widen_parts(ck_block_type type, const ck_block_parts *parts, size_t count, float *out) {
  static const uint8_t values[16] = CK_MXFP4_VALUES;
  const ck_block_layout f = layout_of(type);
  const size_t sub = (size_t)(CK_GROUP / f.subs);
  for (size_t b = 0; b * sub < count; b++) {
    float scale, minimum = 0;
    scale_of(type, parts, b, &scale, &minimum);
    for (size_t c = b * sub; c < (b + 1) * sub && c < count; c++) {
      const int q = f.table ? values[parts->q[c]] : parts->q[c];
      const float value = scale * (float)(q - f.offset);
      out[c] = f.minimum ? value + minimum : value;
    }
  }
}

void ck_widen_blocks(ck_block_type type, const uint8_t *row, size_t cols, float *out) {
  const block_size size = size_of(type);
  for (size_t c = 0; c < cols; c += size.columns, row += size.bytes) {
    ck_block_parts parts;
    ck_split_block(type, row, &parts);
    ck_widen_parts(type, &parts, cols - c < size.columns ? cols - c : size.columns, out + c);
  }
}

void ck_integers_of_blocks(ck_block_type type, const uint8_t *row, size_t cols, int8_t *q,
                           uint16_t *scales) {
  const int offset = layout_of(type).offset;
  for (size_t c = 0; c < cols; c += CK_GROUP, row += ck_block_bytes(type)) {
    ck_block_parts parts;
    ck_split_block(type, row, &parts);
    scales[c / CK_GROUP] = parts.d;
    for (size_t i = c; i < c + CK_GROUP && i < cols; i++) q[i] = (int8_t)(parts.q[i - c] - offset);
  }
}

// Panels.

size_t ck_block_panel_bytes(ck_block_type type, size_t cols) {
  const ck_block_layout f = layout_of(type);
  const size_t groups = groups_of(cols), span = (size_t)f.span;
  return (groups + span - 1) / span * (size_t)f.header + groups * FORM_GROUP_BYTES(f);
}

// The scales that group `i` of a span has for a lane, by how headers hold them.
static void pack_scales(const ck_block_layout f, const ck_block_parts *parts, size_t i, size_t lane,
                        uint8_t *header) {
  uint8_t *sub = header + SUB_SCALES + lane;
  const uint8_t *s = parts->scales, *m = parts->minima;
  switch (f.scales) {
    case SCALES_HALF: store16(parts->d, header + (i * CK_PANEL + lane) * 2); return;
    case SCALES_POWER: header[i * CK_PANEL + lane] = (uint8_t)parts->d; return;
    default: break;
  }
  store16(parts->d, header + lane * 2);
  if (f.minimum) store16(parts->m, header + (CK_PANEL + lane) * 2);
  for (size_t b = 2 * i; b < 2 * i + 2; b++) {
    if (f.scales == SCALES_4) sub[b * CK_PANEL] = (uint8_t)(s[b] | m[b] << 4);
    if (f.scales == SCALES_8) sub[b * CK_PANEL] = s[b];
  }
  if (f.scales == SCALES_6) {
    const uint8_t a = f.subs == 2 ? s[2 * i] : s[i], b = f.subs == 2 ? s[2 * i + 1] : m[i];
    sub[i * CK_PANEL] = (uint8_t)((a & 15) | (b & 15) << 4);
    sub[(8 + i / 2) * CK_PANEL] |= (uint8_t)((a >> 4 | (b >> 4) << 2) << i % 2 * 4);
  }
}
static void unpack_scales(const ck_block_layout f, const uint8_t *header, size_t i, size_t lane,
                          ck_block_parts *parts) {
  const uint8_t *sub = header + SUB_SCALES + lane;
  uint8_t *s = parts->scales, *m = parts->minima;
  switch (f.scales) {
    case SCALES_HALF: parts->d = load16(header + (i * CK_PANEL + lane) * 2); return;
    case SCALES_POWER: parts->d = header[i * CK_PANEL + lane]; return;
    default: break;
  }
  parts->d = load16(header + lane * 2);
  if (f.minimum) parts->m = load16(header + (CK_PANEL + lane) * 2);
  for (size_t b = 2 * i; b < 2 * i + 2; b++) {
    if (f.scales == SCALES_4) {
      s[b] = sub[b * CK_PANEL] & 15;
      m[b] = sub[b * CK_PANEL] >> 4;
    }
    if (f.scales == SCALES_8) s[b] = sub[b * CK_PANEL];
  }
  if (f.scales == SCALES_6) {
    const uint8_t low = sub[i * CK_PANEL], high = sub[(8 + i / 2) * CK_PANEL] >> i % 2 * 4 & 15;
    const uint8_t a = (uint8_t)((low & 15) | (high & 3) << 4);
    const uint8_t b = (uint8_t)(low >> 4 | (high >> 2) << 4);
    *(f.subs == 2 ? &s[2 * i] : &s[i]) = a;
    *(f.subs == 2 ? &s[2 * i + 1] : &m[i]) = b;
  }
}

// A group's weights of one lane: low bits, then the further ones.
static void pack_group(const ck_block_layout f, const uint8_t *q, size_t lane, uint8_t *out) {
  const size_t low = (size_t)f.low, high = (size_t)f.high;
  uint8_t *more = out + low * 64;
  for (size_t k = 0; k < CK_GROUP; k++) {
    const size_t dword = k / 4, per = 8 / low;
    out[dword / per * 64 + lane * 4 + k % 4] |=
        (uint8_t)((q[k] & ((1u << low) - 1)) << dword % per * low);
    if (!high) continue;
    const size_t each = 8 / high;
    more[dword / each * 64 + lane * 4 + k % 4] |= (uint8_t)(q[k] >> low << dword % each * high);
  }
}
static void unpack_group(const ck_block_layout f, const uint8_t *in, size_t lane, uint8_t *q) {
  const size_t low = (size_t)f.low, high = (size_t)f.high;
  const uint8_t *more = in + low * 64;
  for (size_t k = 0; k < CK_GROUP; k++) {
    const size_t dword = k / 4, per = 8 / low;
    unsigned value =
        in[dword / per * 64 + lane * 4 + k % 4] >> dword % per * low & ((1u << low) - 1);
    if (high) {
      const size_t each = 8 / high;
      value |=
          (more[dword / each * 64 + lane * 4 + k % 4] >> dword % each * high & ((1u << high) - 1))
          << low;
    }
    q[k] = (uint8_t)value;
  }
}

void ck_pack_blocks(ck_block_type type, const uint8_t *rows, size_t stride, size_t count,
                    size_t cols, uint8_t *panel) {
  const ck_block_layout f = layout_of(type);
  const block_size size = size_of(type);
  const size_t per_block = size.columns / CK_GROUP, groups = groups_of(cols), span = (size_t)f.span;
  memset(panel, 0, ck_block_panel_bytes(type, cols));
  for (size_t r = 0; r < count; r++)
    for (size_t g = 0; g < groups; g += per_block) {
      ck_block_parts parts;
      ck_split_block(type, rows + r * stride + g / per_block * size.bytes, &parts);
      for (size_t i = g; i < g + per_block && i < groups; i++) {
        uint8_t *header = panel + i / span * FORM_SPAN_BYTES(f);
        pack_scales(f, &parts, i % span, r, header);
        pack_group(f, parts.q + (i - g) * CK_GROUP, r,
                   header + f.header + i % span * FORM_GROUP_BYTES(f));
      }
    }
}

void ck_unpack_blocks(ck_block_type type, const uint8_t *panel, size_t lane, size_t cols,
                      uint8_t *row) {
  const ck_block_layout f = layout_of(type);
  const block_size size = size_of(type);
  const size_t per_block = size.columns / CK_GROUP, groups = groups_of(cols), span = (size_t)f.span;
  for (size_t g = 0; g < groups; g += per_block, row += size.bytes) {
    ck_block_parts parts = {0};
    for (size_t i = g; i < g + per_block && i < groups; i++) {
      const uint8_t *header = panel + i / span * FORM_SPAN_BYTES(f);
      unpack_scales(f, header, i % span, lane, &parts);
      unpack_group(f, header + f.header + i % span * FORM_GROUP_BYTES(f), lane,
                   parts.q + (i - g) * CK_GROUP);
    }
    ck_join_block(type, &parts, row);
  }
}

// Products.

size_t ck_block_activation_bytes(size_t cols) {
  return groups_of(cols) * sizeof(ck_block_activations);
}

void ck_quantize_for_blocks(const float *x, size_t first, size_t count, uint8_t *row) {
  ck_quantized_in_use()->blocks->quantize(x, first, count, row);
}

void ck_linear_blocks_quantized(ck_block_type type, const uint8_t *w, const uint8_t *x, float *y,
                                size_t ys, size_t count, size_t panel0, size_t panel1, size_t rows,
                                size_t cols, ck_epilogue end) {
  ck_quantized_in_use()->blocks->linear[ck_block_form(type)](w, x, y, ys, count, panel0, panel1,
                                                             rows, cols, end);
}

void ck_linear_blocks(ck_block_type type, const uint8_t *w, const float *x, size_t xs, float *y,
                      size_t ys, size_t count, size_t panel0, size_t panel1, size_t rows,
                      size_t cols, ck_epilogue end) {
  const size_t bytes = ck_block_activation_bytes(cols), room = CK_THREAD_ROWS / bytes;
  uint8_t *prepared = ck_thread_rows();
  for (size_t m = 0, some; m < count; m += some) {
    some = count - m < room ? count - m : room;
    for (size_t i = 0; i < some; i++)
      ck_quantize_for_blocks(x + (m + i) * xs, 0, cols, prepared + i * bytes);
    ck_linear_blocks_quantized(type, w, prepared, y + m * ys, ys, some, panel0, panel1, rows, cols,
                               end);
  }
}

void ck_linear_blocks_f32(ck_block_type type, const uint8_t *w, const float *x, size_t xs, float *y,
                          size_t ys, size_t count, size_t panel0, size_t panel1, size_t rows,
                          size_t cols, ck_epilogue end) {
  ck_quantized_in_use()->blocks->linear_f32[ck_block_form(type)](w, x, xs, y, ys, count, panel0,
                                                                 panel1, rows, cols, end);
}

void ck_linear_bf16_f32(const uint16_t *w, const float *x, size_t xs, float *y, size_t ys,
                        size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols,
                        ck_epilogue end) {
  const ck_isa isa = ck_isa_current();
  ck_kernels_of(isa == CK_AVX512BF16 ? CK_AVX512 : isa)
      ->linear_bf16(w, x, xs, y, ys, count, panel0, panel1, rows, cols, end);
}
