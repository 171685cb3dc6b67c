// AVX2 with FMA: a 16-lane vector is two registers.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CK_REGISTERS 16
#define CK_TABLE ck_kernels_avx2
#include "build.inc.h"
#pragma clang attribute pop
#endif
