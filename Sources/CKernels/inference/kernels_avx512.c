// AVX-512: a 16-lane vector is one register.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#define CK_REGISTERS 32
#define CK_TABLE ck_kernels_avx512
#include "build.inc.h"
#pragma clang attribute pop
#endif
