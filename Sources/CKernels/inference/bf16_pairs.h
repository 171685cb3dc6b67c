// Two neighbouring bf16 values of a row, as VDPBF16PS takes them. Included where AVX-512 is on.
#ifndef CK_BF16_PAIRS_H
#define CK_BF16_PAIRS_H
#include <stdint.h>

typedef int32_t __attribute__((may_alias)) ck_pair;

// The pair at `p`, in every lane.
#define PAIR(p) ((__m512bh)_mm512_set1_epi32(*(const ck_pair *)(p)))

#endif
