// Memory that a thread reads later and fetches while it multiplies.
#ifndef CK_READ_AHEAD_H
#define CK_READ_AHEAD_H
#include "CKernels.h"

// What is left to be fetched, in the order in which it will be read.
typedef struct {
  ck_range left[5];
  size_t by_weighing;  // attention's: bytes that are fetched with each value
} ck_ahead;

static inline size_t ck_left(const ck_ahead *ahead) {
  size_t bytes = 0;
  for (int i = 0; i < 5; i++) bytes += ahead->left[i].bytes;
  return bytes;
}

// Cuts off up to so many bytes; `here` stands for memory when none is left, since fetching what
// isn't there is slow.
static inline ck_range ck_take(ck_ahead *ahead, size_t bytes, const void *here) {
  ck_range *first = ahead->left;
  while (first < ahead->left + 4 && first->bytes < 64) first++;
  const ck_range taken = {first->start, first->bytes < bytes ? first->bytes : bytes};
  first->start = (const char *)first->start + taken.bytes;
  first->bytes -= taken.bytes;
  return taken.bytes ? taken : (ck_range){here, 0};
}

#endif
