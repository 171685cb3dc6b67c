// 16-lane vectors and the scalar building blocks of every kernel. Included once per build, inside
// the region that sets the instruction set.
//
// Contraction is off: a multiply and an add are fused only where `fma16` says so, in every build.
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

typedef float f16v __attribute__((vector_size(64)));
typedef float f16u __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16v __attribute__((vector_size(64)));
typedef uint32_t u16v __attribute__((vector_size(64)));
typedef uint32_t u16u __attribute__((vector_size(64), aligned(4)));
typedef uint16_t h16u __attribute__((vector_size(32), aligned(2)));

#define LOAD(p) ((f16v) * (const f16u *)(p))
#define STORE(p, v) (*(f16u *)(p) = (v))
#define FMA(a, b, c) __builtin_elementwise_fma((f16v)(a), (f16v)(b), (f16v)(c))
#define SPLAT(x)                                                 \
  ({                                                             \
    const float splat_ = (x);                                         \
    (f16v){splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_, splat_};      \
  })
#define SELECT(mask, a, b) \
  ((f16v)(((i16v)(mask) & (i16v)(f16v)(a)) | (~(i16v)(mask) & (i16v)(f16v)(b))))

// The sum of the lanes by one fixed tree: halves are added until one lane is left.
#define REDUCE_ADD(v)                                                                         \
  ({                                                                                          \
    f16v t = (v);                                                                             \
    t += __builtin_shufflevector(t, t, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7); \
    t += __builtin_shufflevector(t, t, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11); \
    t += __builtin_shufflevector(t, t, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13); \
    t += __builtin_shufflevector(t, t, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14); \
    t[0];                                                                                     \
  })

// exp by Cody-Waite reduction and a polynomial of degree 6; relative error below 2e-7 and exactly
// 0 below -87.3 (no denormals, so that every build agrees). NaN stays NaN.
INLINE void exp16(const f16v *in, f16v *out) {
  const f16v x = *in;
  const f16v low = SPLAT(-87.3f), high = SPLAT(88.3f);
  f16v c = SELECT(x > high, high, x);
  c = SELECT(c < low, low, c);
  const f16v magic = SPLAT(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const f16v t = FMA(c, SPLAT(1.44269504088896341f), magic);
  const f16v n = t - magic;
  f16v r = FMA(n, SPLAT(-0.693359375f), c);
  r = FMA(n, SPLAT(2.12194440e-4f), r);
  f16v p = SPLAT(1.9875691500e-4f);
  p = FMA(p, r, SPLAT(1.3981999507e-3f));
  p = FMA(p, r, SPLAT(8.3334519073e-3f));
  p = FMA(p, r, SPLAT(4.1665795894e-2f));
  p = FMA(p, r, SPLAT(1.6666665459e-1f));
  p = FMA(p, r, SPLAT(5.0000001201e-1f));
  p = FMA(p, r * r, r + 1.0f);
  const i16v exponent = ((i16v)t - (i16v)magic) << 23;  // the integer sits in the low mantissa bits
  const f16v y = (f16v)((i16v)p + exponent);
  *out = SELECT(x < low, SPLAT(0.0f), SELECT(x == x, y, x));
}

INLINE float exp1(float x) {
  f16v in = SPLAT(x), out;
  exp16(&in, &out);
  return out[0];
}
