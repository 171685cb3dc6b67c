// Functions of activation over 16 lanes, and the loop that applies one to a row.

INLINE void silu(const f16v *in, f16v *out) {
  const f16v x = *in, minus = -x;
  f16v e;
  exp16(&minus, &e);
  *out = x / (e + 1.0f);
}

// x Φ(x) with Φ(-a) = t exp(q(t) - a²/2) / 2, t = 1 / (1 + a / √8), for a = |x|. The polynomial q is
// fitted to erfc on [0, 9.6], to 7e-7; the result is off by less than 3e-7 absolute.
INLINE void gelu(const f16v *in, f16v *out) {
  const f16v x = *in;
  const f16v a = SELECT(x < 0.0f, -x, x);
  const f16v t = 1.0f / FMA(a, SPLAT(0.35355339059327373f), SPLAT(1.0f));
  f16v q = SPLAT(-0.18747914f);
  q = FMA(q, t, SPLAT(0.74994296f));
  q = FMA(q, t, SPLAT(-0.99751437f));
  q = FMA(q, t, SPLAT(0.34581172f));
  q = FMA(q, t, SPLAT(-0.037022546f));
  q = FMA(q, t, SPLAT(0.39298028f));
  q = FMA(q, t, SPLAT(0.998771f));
  q = FMA(q, t, SPLAT(-1.2654907f));
  q = FMA(a * a, SPLAT(-0.5f), q);
  f16v e;
  exp16(&q, &e);
  const f16v tail = x * (t * e * 0.5f);
  *out = SELECT(x < 0.0f, tail, x - tail);
}

// x (1 + tanh(u)) / 2 = x / (1 + exp(-2u)) with u = √(2/π) (x + 0.044715 x³).
INLINE void gelu_tanh(const f16v *in, f16v *out) {
  const f16v x = *in;
  const f16v minus = x * FMA(x * x, SPLAT(-0.0713548162726f), SPLAT(-1.59576912160573f));
  f16v e;
  exp16(&minus, &e);
  *out = x / (e + 1.0f);
}

INLINE void relu(const f16v *in, f16v *out) { *out = SELECT(*in < 0.0f, SPLAT(0.0f), *in); }

INLINE void relu_squared(const f16v *in, f16v *out) {
  f16v x;
  relu(in, &x);
  *out = x * x;
}

INLINE void activate(void (*function)(const f16v *, f16v *), const float *x, const float *up,
                     float *y, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const f16v v = LOAD(x + i);
    f16v f;
    function(&v, &f);
    STORE(y + i, up ? f * LOAD(up + i) : f);
  }
  if (i == count) return;
  float rest[16] = {0};
  for (size_t lane = 0; i + lane < count; lane++) rest[lane] = x[i + lane];
  const f16v v = LOAD(rest);
  f16v f;
  function(&v, &f);
  STORE(rest, f);
  for (size_t lane = 0; i + lane < count; lane++)
    y[i + lane] = up ? rest[lane] * up[i + lane] : rest[lane];
}

#define ACTIVATE(function)                                                                         \
  static void activate_##function(const float *x, const float *up, float *y, size_t count) {       \
    activate(function, x, up, y, count);                                                           \
  }
ACTIVATE(silu)
ACTIVATE(gelu)
ACTIVATE(gelu_tanh)
ACTIVATE(relu)
ACTIVATE(relu_squared)
#undef ACTIVATE
