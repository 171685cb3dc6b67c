// Chooses a build of the products at run time, and keeps each thread's panels.
#include "CKernelsProduct.h"

#include <stdlib.h>

#include "CKernels.h"
#include "../team/thread_memory.h"

extern const ct_product_kernels ct_product_portable;
#if defined(__x86_64__)
extern const ct_product_kernels ct_product_avx2, ct_product_avx512;
void ct_multiply_pairs(const ct_product *, unsigned *);
#endif

const ct_product_kernels *ct_product_build(int index) {
#if defined(__x86_64__)
  static const ck_isa needs[CT_PRODUCT_BUILDS] = {CK_PORTABLE, CK_AVX2, CK_AVX512, CK_AVX512BF16};
  static ct_product_kernels pairs;  // the AVX-512 build with one kernel replaced
  if (index < 0 || index >= CT_PRODUCT_BUILDS || ck_isa_detect() < needs[index]) return NULL;
  switch (index) {
    case 1: return &ct_product_avx2;
    case 2: return &ct_product_avx512;
    case 3:
      pairs = (ct_product_kernels){"avx512bf16", ct_product_avx512.f32, ct_multiply_pairs};
      return &pairs;
    default: break;
  }
#endif
  return index == 0 ? &ct_product_portable : NULL;
}

static const ct_product_kernels *best = &ct_product_portable;
static pthread_key_t key;

__attribute__((constructor)) static void select_best(void) {
  for (int index = 0; index < CT_PRODUCT_BUILDS; index++)
    if (ct_product_build(index)) best = ct_product_build(index);
  if (pthread_key_create(&key, free)) abort();
}

int ct_has_bf16_products(void) { return ck_isa_detect() >= CK_AVX512BF16; }
int ct_has_fast_f32_products(void) { return ck_isa_detect() >= CK_AVX512; }

const char *ct_product_name(int rounds) {
  return rounds || best != ct_product_build(CT_PRODUCT_BUILDS - 1)
             ? best->name
             : ct_product_build(CT_PRODUCT_BUILDS - 2)->name;
}

static unsigned *panels(void) {
  return ck_thread_memory(key, CT_PANEL_WORDS * sizeof(unsigned));
}

void ct_multiply_f32(const ct_product *product) { best->f32(product, panels()); }
void ct_multiply_bf16(const ct_product *product) { best->bf16(product, panels()); }
