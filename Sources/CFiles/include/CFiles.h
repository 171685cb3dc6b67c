#ifndef CFILES_H
#define CFILES_H

#include <stddef.h>

/// Remembers that `bytes` bytes from `start` on are those of the file `path`, which is copied.
///
/// When such a file becomes shorter, reading what is gone raises SIGBUS. The process then writes one
/// line that names the file on standard error and ends with exit code 1. Any other SIGBUS goes where
/// it went before the first call.
///
/// Returns a handle for `cf_forget`; NULL without memory.
void *cf_remember(const void *start, size_t bytes, const char *path);

/// Forgets a range, before it is unmapped.
void cf_forget(void *range);

/// Gives memory back to the system that was freed, as far as the allocator can.
void cf_trim(void);

#endif
