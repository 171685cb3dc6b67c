// The portable twin of the integer products: dot products as plain arithmetic, in the very tiles
// that the dot-product instructions run in.
#define LANES 16
#define ONE 1
#define MORE 1
#define WIDE 2
#define TALLEST_8 6
#define TALLEST_4 6
#define TALLEST_BLOCKS 4
#define ALONE_BLOCKS 1
#define ALONE_8 1
#define ALONE_4 1
#define AHEAD 2048
#define CK_QUANTIZED ck_quantized_portable
#define CK_NAME "portable"

#define BYTE_OF(x, i) ((int32_t)((uint32_t)(x) << (24 - 8 * (i))) >> 24)
#define DOT_BYTES(sum, w, x)                                                             \
  ((sum) + (iv)((w) & 255) * BYTE_OF(x, 0) + (iv)((w) >> 8 & 255) * BYTE_OF(x, 1) +      \
   (iv)((w) >> 16 & 255) * BYTE_OF(x, 2) + (iv)((w) >> 24) * BYTE_OF(x, 3))

// Subnormal halves become subnormal floats, which the power of two makes right.
#define HALVES(p)                                                                           \
  ({                                                                                        \
    const uv h_ = __builtin_convertvector(*(const h16u *)(p), uv);                          \
    const iv odd_ = (iv)((h_ & 0x7c00) == 0x7c00);                                          \
    const uv size_ = (uv)((fv)((h_ & 0x7fff) << 13) * 0x1p112f);                            \
    (fv)((size_ | ((uv)odd_ & 0x7f800000)) | (h_ & 0x8000) << 16);                          \
  })

#define LOOKUP(table, w)                                                                     \
  ({                                                                                        \
    const uv places_ = (w);                                                                 \
    uint8_t bytes_[sizeof places_];                                                         \
    memcpy(bytes_, &places_, sizeof bytes_);                                                \
    for (size_t i_ = 0; i_ < sizeof bytes_; i_++) bytes_[i_] = (table)[bytes_[i_]];          \
    uv found_;                                                                              \
    memcpy(&found_, bytes_, sizeof found_);                                                 \
    found_;                                                                                 \
  })
#include "quantized.inc.h"
