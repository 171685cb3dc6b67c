// Searches in rows of logits: what can still win a Gumbel race, and what a filter keeps.

// 32 noise bits of 16 tokens: a bijection of the token (two rounds of multiply and xor-shift), with
// one half of the position's key before and one between the rounds.
INLINE void noise16(const u16v *token, uint32_t key0, uint32_t key1, u16v *out) {
  u16v x = *token * 0x9E3779B1u + key0;
  x ^= x >> 16;
  x *= 0x21F0AAADu;
  x ^= x >> 15;
  x += key1;
  x *= 0x735A2D97u;
  x ^= x >> 15;
  *out = x;
}

// Index i enters the race if u * need <= exp(x[i] - top), u being its noise rounded down to 24 bits.
static size_t race(const float *x, const int32_t *tokens, uint32_t first, size_t count,
                   uint32_t key0, uint32_t key1, float top, float need, uint32_t *found) {
  const u16v lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const f16v unit = SPLAT(0x1p-24f) * SPLAT(need);
  size_t n = 0;
  for (size_t i = 0; i < count; i += 16) {
    const size_t lanes = count - i < 16 ? count - i : 16;
    f16v v = SPLAT(-INFINITY), e;
    u16v token = lane + (uint32_t)(first + i), bits;
    if (lanes == 16) {
      v = LOAD(x + i);
      if (tokens) token = (u16v) * (const u16u *)(tokens + i);
    } else {
      for (size_t k = 0; k < lanes; k++) {
        v[k] = x[i + k];
        if (tokens) token[k] = (uint32_t)tokens[i + k];
      }
    }
    v -= SPLAT(top);
    exp16(&v, &e);
    noise16(&token, key0, key1, &bits);
    const i16v in = (i16v)(__builtin_convertvector((i16v)(bits >> 8), f16v) * unit <= e);
    if (!__builtin_reduce_or(in)) continue;
    for (size_t k = 0; k < lanes; k++)
      if (in[k]) found[n++] = (uint32_t)(i + k);
  }
  return n;
}

static size_t at_least(const float *x, size_t count, float bound, uint32_t *found) {
  size_t n = 0, i = 0;
  for (; i + 16 <= count; i += 16) {
    const i16v in = (i16v)(LOAD(x + i) >= SPLAT(bound));
    if (!__builtin_reduce_or(in)) continue;
    for (size_t k = 0; k < 16; k++)
      if (in[k]) found[n++] = (uint32_t)(i + k);
  }
  for (; i < count; i++)
    if (x[i] >= bound) found[n++] = (uint32_t)i;
  return n;
}

static void mask_below(float *x, size_t count, float bound) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    STORE(x + i, SELECT(LOAD(x + i) >= SPLAT(bound), LOAD(x + i), SPLAT(-INFINITY)));
  for (; i < count; i++) x[i] = x[i] >= bound ? x[i] : -INFINITY;
}

static void divide(float *x, size_t count, float divisor) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) STORE(x + i, LOAD(x + i) / SPLAT(divisor));
  for (; i < count; i++) x[i] /= divisor;
}
