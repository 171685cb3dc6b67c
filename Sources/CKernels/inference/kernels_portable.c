// The portable twin: the compiler's baseline instruction set.
#define CK_REGISTERS 16
#define CK_TABLE ck_kernels_portable
#include "build.inc.h"
