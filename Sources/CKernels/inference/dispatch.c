// Chooses a build at run time and forwards every call to it.
#include "CKernelsTable.h"
#include "../team/thread_memory.h"

static ck_isa selected = CK_PORTABLE;
static const ck_kernels *table = &ck_kernels_portable;
static const ck_quantized_kernels *quantized = &ck_quantized_portable;

ck_isa ck_isa_detect(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return __builtin_cpu_supports("avx512bf16") ? CK_AVX512BF16 : CK_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c"))
    return CK_AVX2;
#endif
  return CK_PORTABLE;
}

const ck_kernels *ck_kernels_of(ck_isa isa) {
  if (isa > ck_isa_detect()) return NULL;
#if defined(__x86_64__)
  static ck_kernels bf16;  // the AVX-512 build with kernels for bf16 activations
  switch (isa) {
    case CK_AVX2: return &ck_kernels_avx2;
    case CK_AVX512: return &ck_kernels_avx512;
    case CK_AVX512BF16:
      if (!bf16.add) {
        bf16 = ck_kernels_avx512;
        bf16.linear_bf16 = ck_linear_bf16_avx512bf16;
        bf16.linear_rounded = ck_linear_rounded_avx512bf16;
        bf16.round_rows = ck_round_rows_avx512bf16;
        bf16.attend_bf16 = ck_attend_bf16_avx512bf16;
      }
      return &bf16;
    default: break;
  }
#endif
  return &ck_kernels_portable;
}

const ck_quantized_kernels *ck_quantized_build(int index) {
  const ck_isa best = ck_isa_detect();
  (void)best;
  switch (index) {
    case 0: return &ck_quantized_portable;
#if defined(__x86_64__)
    case 1: return best >= CK_AVX2 ? &ck_quantized_avx2 : NULL;
    case 2:
      return best >= CK_AVX2 && __builtin_cpu_supports("avxvnni") ? &ck_quantized_avxvnni : NULL;
    case 3: return best >= CK_AVX512 ? &ck_quantized_avx512 : NULL;
    case 4:
      return best >= CK_AVX512 && __builtin_cpu_supports("avx512vnni") ? &ck_quantized_avx512vnni
                                                                       : NULL;
#endif
    default: return NULL;
  }
}

// The fastest build that the instruction set allows.
static const ck_quantized_kernels *quantized_of(ck_isa isa) {
  static const ck_isa needs[CK_QUANTIZED_BUILDS] = {CK_PORTABLE, CK_AVX2, CK_AVX2, CK_AVX512,
                                                    CK_AVX512};
  int index = CK_QUANTIZED_BUILDS - 1;
  while (needs[index] > isa || !ck_quantized_build(index)) index--;
  return ck_quantized_build(index);
}

const ck_quantized_kernels *ck_quantized_in_use(void) { return quantized; }

int ck_has_dot_products(void) {
#if defined(__x86_64__)
  return quantized == &ck_quantized_avxvnni || quantized == &ck_quantized_avx512vnni;
#else
  return 0;
#endif
}

ck_isa ck_isa_select(ck_isa isa) {
  const ck_isa best = ck_isa_detect();
  selected = isa > best ? best : isa;
  table = ck_kernels_of(selected);
  quantized = quantized_of(selected);
  return selected;
}

__attribute__((constructor)) static void select_best(void) { ck_isa_select(CK_AVX512BF16); }

ck_isa ck_isa_current(void) { return selected; }

const char *ck_isa_name(ck_isa isa) {
  static const char *const names[] = {"portable", "avx2", "avx512", "avx512bf16"};
  return names[isa];
}

void ck_linear_f32(const float *w, const float *x, size_t xs, float *y, size_t ys, size_t count,
                   size_t panel0, size_t panel1, size_t rows, size_t cols, ck_epilogue end) {
  table->linear_f32(w, x, xs, y, ys, count, panel0, panel1, rows, cols, end);
}
void ck_linear_bf16(const uint16_t *w, const float *x, size_t xs, float *y, size_t ys, size_t count,
                    size_t panel0, size_t panel1, size_t rows, size_t cols, ck_epilogue end) {
  table->linear_bf16(w, x, xs, y, ys, count, panel0, panel1, rows, cols, end);
}
int ck_takes_rounded(size_t cols) { return table->linear_rounded && cols <= CK_ROUNDED_COLUMNS; }
void ck_round_rows(const float *x, uint16_t *out, size_t count) {
  table->round_rows(x, out, count);
}
void ck_linear_rounded(const uint16_t *w, const uint16_t *x, float *y, size_t ys, size_t count,
                       size_t panel0, size_t panel1, size_t rows, size_t cols, ck_epilogue end) {
  table->linear_rounded(w, x, y, ys, count, panel0, panel1, rows, cols, end);
}
void ck_quantize_activations(int bits, const float *x, size_t first, size_t count, size_t cols,
                             uint8_t *row) {
  quantized->quantize(bits, x, first, count, cols, row);
}
void ck_linear_quantized(int bits, const uint8_t *w, const uint8_t *x, float *y, size_t ys,
                         size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols,
                         ck_epilogue end) {
  (bits == 8 ? quantized->linear_int8 : quantized->linear_int4)(w, x, y, ys, count, panel0, panel1,
                                                                rows, cols, end);
}
void ck_linear_integers(int bits, const uint8_t *w, const float *x, size_t xs, float *y, size_t ys,
                        size_t count, size_t panel0, size_t panel1, size_t rows, size_t cols,
                        ck_epilogue end) {
  const size_t bytes = ck_quantized_row_bytes(cols), room = CK_THREAD_ROWS / bytes;
  uint8_t *prepared = ck_thread_rows();
  for (size_t m = 0, some; m < count; m += some) {
    some = count - m < room ? count - m : room;
    for (size_t i = 0; i < some; i++)
      ck_quantize_activations(bits, x + (m + i) * xs, 0, cols, cols, prepared + i * bytes);
    ck_linear_quantized(bits, w, prepared, y + m * ys, ys, some, panel0, panel1, rows, cols,
                        end);
  }
}
void ck_rms_norm(const float *x, const float *weight, float *y, size_t count, float epsilon) {
  table->rms_norm(x, weight, y, count, epsilon);
}
void ck_layer_norm(const float *x, const float *weight, const float *bias, float *y, size_t count,
                   float epsilon) {
  table->layer_norm(x, weight, bias, y, count, epsilon);
}
void ck_rope(float *head, const float *cosine, const float *sine, size_t count) {
  table->rope(head, cosine, sine, count);
}
void ck_rope_pairs(float *head, const float *cosine, const float *sine, size_t count) {
  table->rope_pairs(head, cosine, sine, count);
}
void ck_soft_cap(float *x, size_t count, float cap) { table->soft_cap(x, count, cap); }
void ck_activate(ck_activation function, const float *x, const float *up, float *y, size_t count) {
  table->activate[function](x, up, y, count);
}
void ck_add(float *y, const float *x, size_t count) { table->add(y, x, count); }
void ck_attend(const ck_attention *rows, const float *keys, const float *values,
               size_t value_stride) {
  table->attend(rows, keys, values, value_stride);
}
void ck_attend_bf16(const ck_attention *rows, const uint16_t *keys, const uint16_t *values,
                    size_t value_stride) {
  table->attend_bf16(rows, keys, values, value_stride);
}
size_t ck_argmax(const float *x, size_t count) { return table->argmax(x, count); }
float ck_maximum(const float *x, size_t count) { return table->maximum(x, count); }
size_t ck_finite_argmax(const float *x, size_t count) { return table->finite_argmax(x, count); }
float ck_finite_maximum(const float *x, size_t count) { return table->finite_maximum(x, count); }
float ck_exp(const float *x, float *y, size_t count, float shift, float scale) {
  return table->exponential(x, y, count, shift, scale);
}
void ck_scale(float *x, size_t count, float factor) { table->scale(x, count, factor); }
void ck_clip(float *x, size_t count, float bound) { table->clip(x, count, bound); }
void ck_widen_bf16(const uint16_t *x, float *y, size_t count) { table->widen_bf16(x, y, count); }
float ck_read_sum(const float *x, size_t count) { return table->read_sum(x, count); }
size_t ck_race(const float *x, const int32_t *tokens, uint32_t first, size_t count, uint32_t key0,
               uint32_t key1, float top, float need, uint32_t *found) {
  return table->race(x, tokens, first, count, key0, key1, top, need, found);
}
size_t ck_at_least(const float *x, size_t count, float bound, uint32_t *found) {
  return table->at_least(x, count, bound, found);
}
void ck_mask_below(float *x, size_t count, float bound) { table->mask_below(x, count, bound); }
void ck_divide(float *x, size_t count, float divisor) { table->divide(x, count, divisor); }
void ck_add_scaled(float *y, const float *x, size_t count, float factor) {
  table->add_scaled(y, x, count, factor);
}
void ck_swiglu_clamped(const float *gate, const float *up, float *y, size_t count, float alpha,
                       float limit) {
  table->swiglu_clamped(gate, up, y, count, alpha, limit);
}

void ck_store_key(float *keys, const float *key, size_t position, size_t dimension) {
  float *block = keys + position / CK_KEY_BLOCK * CK_KEY_BLOCK * dimension;
  const size_t lane = position % CK_KEY_BLOCK;
  for (size_t d = 0; d < dimension; d++) block[d * CK_KEY_BLOCK + lane] = key[d];
}

void ck_store_key_bf16(uint16_t *keys, const float *key, size_t position, size_t dimension) {
  uint16_t *block = keys + position / CK_KEY_BLOCK * CK_KEY_BLOCK * dimension;
  const size_t lane = position % CK_KEY_BLOCK;
  for (size_t d = 0; d < dimension; d++) ck_narrow_bf16(key + d, block + d * CK_KEY_BLOCK + lane, 1);
}
