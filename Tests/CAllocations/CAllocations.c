#include "CAllocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

// The C library's own entry points (glibc).
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

struct ca_counter {
  atomic_long value;
};

static _Thread_local ca_counter *watched;

static void count(void) {
  if (watched) atomic_fetch_add(&watched->value, 1);
}

void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
  count();
  return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
  count();
  void *made = __libc_memalign(alignment, size);
  if (!made) return ENOMEM;
  *out = made;
  return 0;
}

ca_counter *ca_counter_create(void) { return calloc(1, sizeof(ca_counter)); }
void ca_counter_destroy(ca_counter *counter) { free(counter); }
long ca_counter_value(const ca_counter *counter) {
  return atomic_load(&((ca_counter *)counter)->value);
}
void ca_watch(ca_counter *counter) { watched = counter; }
