// Memory of a kernel for each thread that calls it: taken at the first call, freed when the thread
// ends. Static thread storage would come out of every thread's stack.
#ifndef CK_THREAD_MEMORY_H
#define CK_THREAD_MEMORY_H
#include <pthread.h>
#include <stddef.h>

/// The calling thread's block of `bytes` for a key made with free() as its destructor, aligned to
/// 64 bytes. Without memory the process ends with a message.
void *ck_thread_memory(pthread_key_t key, size_t bytes);

enum { CK_THREAD_ROWS = 2 << 20 };

/// CK_THREAD_ROWS bytes for rows that a product rounds or quantises itself.
void *ck_thread_rows(void);

#endif
