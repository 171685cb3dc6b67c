// Products for AVX2 with FMA: 6 rows of two registers.
#if defined(__x86_64__)
#include <stddef.h>
#include <stdint.h>

#include "CKernelsProduct.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define TALLEST 6
#define VECTORS 1
#pragma clang fp contract(fast)
#include "product_words_f32.inc.h"
#include "product.inc.h"

static void multiply_f32(const ct_product *p, unsigned *panels) { multiply_blocks(p, panels, 0); }
static void multiply_bf16(const ct_product *p, unsigned *panels) { multiply_blocks(p, panels, 1); }

const ct_product_kernels ct_product_avx2 = {"avx2", multiply_f32, multiply_bf16};
#pragma clang attribute pop
#endif
