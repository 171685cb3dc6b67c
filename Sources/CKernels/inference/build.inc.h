// One build of all kernels. The including file sets the instruction set, CK_REGISTERS (16 or 32
// vector registers), CK_TABLE (the table's name).
#include "CKernelsTable.h"
#include "vector.inc.h"

#define CK_MAX_DIMENSION 1024
#define PREFETCH 2048  // bytes ahead in a panel; measured: 20.4 of 22 GB/s at one row

#include "linear.inc.h"
#include "rows.inc.h"
#include "experts.inc.h"
#include "activation.inc.h"
#include "attention_walk.h"
#define KV float
#define KV_LOAD(p) LOAD(p)
#define KV_VALUE(x) (x)
#define KV_NAME(name) name##_f32
#include "attention.inc.h"

#undef KV
#undef KV_LOAD
#undef KV_VALUE
#undef KV_NAME
#define KV uint16_t
#define KV_LOAD(p) ((f16v)(__builtin_convertvector(*(const h16u *)(p), u16v) << 16))
#define KV_VALUE(x) widen1(x)
#define KV_NAME(name) name##_bf16
#include "attention.inc.h"

#undef attend
#include "sampling.inc.h"

const ck_kernels CK_TABLE = {
    .linear_f32 = linear_f32,
    .linear_bf16 = linear_bf16,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rope = rope,
    .rope_pairs = rope_pairs,
    .soft_cap = soft_cap,
    .activate = {activate_silu, activate_gelu, activate_gelu_tanh, activate_relu,
                 activate_relu_squared},
    .add = add,
    .attend = attend_f32,
    .attend_bf16 = attend_bf16,
    .argmax = argmax,
    .maximum = maximum,
    .finite_argmax = finite_argmax,
    .finite_maximum = finite_maximum,
    .exponential = exponential,
    .scale = scale,
    .clip = clip,
    .widen_bf16 = widen_bf16,
    .read_sum = read_sum,
    .race = race,
    .at_least = at_least,
    .mask_below = mask_below,
    .divide = divide,
    .add_scaled = add_scaled,
    .swiglu_clamped = swiglu_clamped,
};
