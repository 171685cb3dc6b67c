// The table of kernels that each instruction set's build fills. Tests call builds through it; all
// else calls the functions of CKernels.h.
#ifndef CK_KERNEL_TABLE_H
#define CK_KERNEL_TABLE_H
#include "CKernels.h"

typedef struct {
  void (*linear_f32)(const float *, const float *, size_t, float *, size_t, size_t, size_t, size_t,
                     size_t, size_t, ck_epilogue);
  void (*linear_bf16)(const uint16_t *, const float *, size_t, float *, size_t, size_t, size_t,
                      size_t, size_t, size_t, ck_epilogue);
  // NULL where bf16 weights are multiplied with f32 activations.
  void (*linear_rounded)(const uint16_t *, const uint16_t *, float *, size_t, size_t, size_t,
                         size_t, size_t, size_t, ck_epilogue);
  void (*round_rows)(const float *, uint16_t *, size_t);
  void (*rms_norm)(const float *, const float *, float *, size_t, float);
  void (*layer_norm)(const float *, const float *, const float *, float *, size_t, float);
  void (*rope)(float *, const float *, const float *, size_t);
  void (*rope_pairs)(float *, const float *, const float *, size_t);
  void (*soft_cap)(float *, size_t, float);
  // By ck_activation.
  void (*activate[CK_ACTIVATIONS])(const float *, const float *, float *, size_t);
  void (*add)(float *, const float *, size_t);
  void (*attend)(const ck_attention *, const float *, const float *, size_t);
  void (*attend_bf16)(const ck_attention *, const uint16_t *, const uint16_t *, size_t);
  size_t (*argmax)(const float *, size_t);
  float (*maximum)(const float *, size_t);
  size_t (*finite_argmax)(const float *, size_t);
  float (*finite_maximum)(const float *, size_t);
  float (*exponential)(const float *, float *, size_t, float, float);
  void (*scale)(float *, size_t, float);
  void (*clip)(float *, size_t, float);
  void (*widen_bf16)(const uint16_t *, float *, size_t);
  float (*read_sum)(const float *, size_t);
  size_t (*race)(const float *, const int32_t *, uint32_t, size_t, uint32_t, uint32_t, float, float,
                 uint32_t *);
  size_t (*at_least)(const float *, size_t, float, uint32_t *);
  void (*mask_below)(float *, size_t, float);
  void (*divide)(float *, size_t, float);
  void (*add_scaled)(float *, const float *, size_t, float);
  void (*swiglu_clamped)(const float *, const float *, float *, size_t, float, float);
} ck_kernels;

/// The products of quantised weights; see CKernelsQuantized.h.
typedef struct ck_quantized_kernels {
  const char *name;
  void (*quantize)(int, const float *, size_t, size_t, size_t, uint8_t *);
  void (*linear_int8)(const uint8_t *, const uint8_t *, float *, size_t, size_t, size_t, size_t,
                      size_t, size_t, ck_epilogue);
  void (*linear_int4)(const uint8_t *, const uint8_t *, float *, size_t, size_t, size_t, size_t,
                      size_t, size_t, ck_epilogue);
  const struct ck_block_kernels *blocks;  // see CKernelsBlocks.h
} ck_quantized_kernels;

enum { CK_QUANTIZED_BUILDS = 5 };

/// The products of one of CK_QUANTIZED_BUILDS builds, which agree to the bit; NULL when this machine
/// lacks it. The first is portable.
const ck_quantized_kernels *ck_quantized_build(int index);

/// The products of the build in use.
const ck_quantized_kernels *ck_quantized_in_use(void);

/// The build for an instruction set; NULL when this machine or compilation lacks it.
const ck_kernels *ck_kernels_of(ck_isa isa);

extern const ck_kernels ck_kernels_portable;
extern const ck_quantized_kernels ck_quantized_portable;
#if defined(__x86_64__)
extern const ck_kernels ck_kernels_avx2, ck_kernels_avx512;
extern const ck_quantized_kernels ck_quantized_avx2, ck_quantized_avxvnni, ck_quantized_avx512,
    ck_quantized_avx512vnni;
void ck_linear_bf16_avx512bf16(const uint16_t *w, const float *x, size_t xs, float *y, size_t ys,
                               size_t count, size_t panel0, size_t panel1, size_t rows,
                               size_t cols, ck_epilogue end);
void ck_linear_rounded_avx512bf16(const uint16_t *w, const uint16_t *x, float *y, size_t ys,
                                  size_t count, size_t panel0, size_t panel1, size_t rows,
                                  size_t cols, ck_epilogue end);
void ck_round_rows_avx512bf16(const float *x, uint16_t *out, size_t count);
void ck_attend_bf16_avx512bf16(const ck_attention *rows, const uint16_t *keys,
                               const uint16_t *values, size_t value_stride);
#endif

#endif
