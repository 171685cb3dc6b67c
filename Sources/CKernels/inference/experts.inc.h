// What mixtures of experts need beside products: weighted sums and the clamped gate.

static void add_scaled(float *y, const float *x, size_t count, float factor) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) STORE(y + i, FMA(LOAD(x + i), SPLAT(factor), LOAD(y + i)));
  for (; i < count; i++) y[i] = __builtin_fmaf(x[i], factor, y[i]);
}

// A NaN stays one: comparisons with it are false.
static void swiglu_clamped(const float *gate, const float *up, float *y, size_t count, float alpha,
                           float limit) {
  const f16v most = SPLAT(limit), least = SPLAT(-limit);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    f16v g = LOAD(gate + i), u = LOAD(up + i), e;
    g = SELECT(g > most, most, g);
    u = SELECT(u > most, most, u);
    u = SELECT(u < least, least, u);
    const f16v minus = g * SPLAT(-alpha);
    exp16(&minus, &e);
    STORE(y + i, g / (e + 1.0f) * (u + 1.0f));
  }
  for (; i < count; i++) {
    const float g = gate[i] > limit ? limit : gate[i];
    const float u = up[i] > limit ? limit : up[i] < -limit ? -limit : up[i];
    y[i] = g / (exp1(g * -alpha) + 1.0f) * (u + 1.0f);
  }
}
