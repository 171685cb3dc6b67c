#ifndef CKERNELS_H
#define CKERNELS_H
#include "CKernelsTeam.h"
#endif
