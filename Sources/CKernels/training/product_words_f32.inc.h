// Words of one f32 value, for any instruction set. Values may be rounded to bf16 as they are packed.
#include "simd.h"

#define UNROLL _Pragma("clang loop unroll(full)")
#define WORD_VALUES 1

typedef float lanes __attribute__((vector_size(64)));
typedef lanes words;
typedef words unaligned __attribute__((aligned(4), may_alias));
typedef uint32_t bits __attribute__((vector_size(64)));

// To the nearest bf16 value, ties to even; a NaN stays one.
static inline __attribute__((always_inline)) void round_words(words *x) {
  const bits b = (bits)*x, r = (b + 0x7fff + (b >> 16 & 1)) & 0xffff0000;
  const bits ordered = (bits)(*x == *x);
  *x = (words)((r & ordered) | (b & ~ordered));
}

static inline __attribute__((always_inline)) void words_along(const float *x, long count,
                                                              int rounds, words *out) {
  words v = {0};
  if (count >= 16)
    v = *(const unaligned *)x;
  else
    for (long i = 0; i < count; i++) v[i] = x[i];
  if (rounds) round_words(&v);
  *out = v;
}

static inline __attribute__((always_inline)) void words_across(const float *x, const float *next,
                                                               long count, int rounds,
                                                               words *out) {
  (void)next;
  words_along(x, count, rounds, out);
}

#define SPLAT(word)                                                 \
  ({                                                                \
    float x_;                                                       \
    memcpy(&x_, &(word), 4);                                        \
    (words){x_, x_, x_, x_, x_, x_, x_, x_, x_, x_, x_, x_, x_, x_, x_, x_}; \
  })

#define MULTIPLY(sum, a, b) ((sum) + (a) * (b))
