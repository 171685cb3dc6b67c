// What the training kernels share: run-time dispatch, reassociation, a vectorisable exponential.
#ifndef TRAINING_SIMD_H
#define TRAINING_SIMD_H
#include <string.h>

#if defined(__x86_64__) && defined(__ELF__)
/// Compiles a function for AVX-512, AVX2 with FMA, and the baseline; the loader picks one.
#define CT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CT_CLONES
#endif

/// At the start of a body: sums may be split over vector lanes and products fused.
#define CT_FAST _Pragma("clang fp reassociate(on) contract(fast)")

/// e^x to 8e-8 relative (Cephes expf), clamped to the finite range; vectorises when inlined.
static inline __attribute__((always_inline)) float ct_exp(float x) {
  // Reassociation would fold the rounding by the magic number away.
  _Pragma("clang fp reassociate(off) contract(fast)") x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504f + 12582912.0f;
  int bits;
  memcpy(&bits, &shifted, 4);
  float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int value;
  memcpy(&value, &p, 4);
  value += (int)((unsigned)bits << 23);
  memcpy(&p, &value, 4);
  return p;
}

/// ln x to 1e-7 of the greater of 1 and its magnitude (Cephes logf), of values below the normal ones that of
/// the least; vectorises when inlined.
static inline __attribute__((always_inline)) float ct_log(float x) {
  _Pragma("clang fp reassociate(off) contract(fast)") x = x < 1.17549435e-38f ? 1.17549435e-38f : x;
  int bits;
  memcpy(&bits, &x, 4);
  // The exponent that leaves a mantissa between sqrt(1/2) and sqrt(2).
  int exponent = (bits - 0x3f3504f3) >> 23;
  bits -= (int)((unsigned)exponent << 23);
  float m, e = (float)exponent;
  memcpy(&m, &bits, 4);
  m -= 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * m * m - e * 2.12194440e-4f - 0.5f * m * m;
  return m + p + e * 0.693359375f;
}

/// Sixteen lanes, read from any address.
typedef float ct_lanes __attribute__((vector_size(64), aligned(4)));

/// The greatest of `count` values; a comparison loop would only vectorise if NaN could be ruled out.
static inline __attribute__((always_inline)) float ct_max(const float *x, long count) {
  float top = x[0];
  long i = 0;
  if (count >= 16) {
    ct_lanes best = *(const ct_lanes *)x;
    for (i = 16; i + 16 <= count; i += 16) {
      ct_lanes next = *(const ct_lanes *)(x + i);
      best = __builtin_elementwise_max(best, next);
    }
    for (int lane = 0; lane < 16; lane++) top = best[lane] > top ? best[lane] : top;
  }
  for (; i < count; i++) top = x[i] > top ? x[i] : top;
  return top;
}

#endif
