// Freed memory, which glibc keeps in its arenas unless it is asked for it.
#include "CFiles.h"

#include <malloc.h>

void cf_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
