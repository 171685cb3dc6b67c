// Memory that ends with its thread.
#include "thread_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *ck_thread_memory(pthread_key_t key, size_t bytes) {
  void *mine = pthread_getspecific(key);
  if (mine) return mine;
  mine = aligned_alloc(64, bytes);
  if (!mine || pthread_setspecific(key, mine)) {
    fputs("error: no memory for the rows of a matrix product\n", stderr);
    _exit(1);  // without the end of libraries, which may wait for threads that need memory too
  }
  return mine;
}

static pthread_key_t rows;

__attribute__((constructor)) static void make_key(void) {
  if (pthread_key_create(&rows, free)) abort();
}

void *ck_thread_rows(void) { return ck_thread_memory(rows, CK_THREAD_ROWS); }
