// Products in portable C: the compiler's baseline instruction set.
#include <stddef.h>
#include <stdint.h>

#include "CKernelsProduct.h"
#define TALLEST 2
#define VECTORS 1
#pragma clang fp contract(fast)
#include "product_words_f32.inc.h"
#include "product.inc.h"

static void multiply_f32(const ct_product *p, unsigned *panels) { multiply_blocks(p, panels, 0); }
static void multiply_bf16(const ct_product *p, unsigned *panels) { multiply_blocks(p, panels, 1); }

const ct_product_kernels ct_product_portable = {"portable", multiply_f32, multiply_bf16};
