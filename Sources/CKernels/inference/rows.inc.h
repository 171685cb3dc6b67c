// Element-wise and row-wise kernels: norms, rotation, exponentials, searches.

static void rms_norm(const float *x, const float *weight, float *y, size_t count, float epsilon) {
  f16v squares = SPLAT(0);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) squares = FMA(LOAD(x + i), LOAD(x + i), squares);
  float sum = REDUCE_ADD(squares);
  for (; i < count; i++) sum = __builtin_fmaf(x[i], x[i], sum);
  const float scale = 1.0f / __builtin_sqrtf(sum / (float)count + epsilon);
  for (i = 0; i + 16 <= count; i += 16)
    STORE(y + i, LOAD(x + i) * SPLAT(scale) * LOAD(weight + i));
  for (; i < count; i++) y[i] = x[i] * scale * weight[i];
}

static void layer_norm(const float *x, const float *weight, const float *bias, float *y,
                       size_t count, float epsilon) {
  f16v values = SPLAT(0);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) values += LOAD(x + i);
  float sum = REDUCE_ADD(values);
  for (; i < count; i++) sum += x[i];
  const float mean = sum / (float)count;
  f16v squares = SPLAT(0);
  for (i = 0; i + 16 <= count; i += 16) {
    const f16v d = LOAD(x + i) - SPLAT(mean);
    squares = FMA(d, d, squares);
  }
  float square = REDUCE_ADD(squares);
  for (; i < count; i++) square = __builtin_fmaf(x[i] - mean, x[i] - mean, square);
  const float scale = 1.0f / __builtin_sqrtf(square / (float)count + epsilon);
  for (i = 0; i + 16 <= count; i += 16) {
    const f16v v = (LOAD(x + i) - SPLAT(mean)) * SPLAT(scale) * LOAD(weight + i);
    STORE(y + i, bias ? v + LOAD(bias + i) : v);
  }
  for (; i < count; i++) {
    const float v = (x[i] - mean) * scale * weight[i];
    y[i] = bias ? v + bias[i] : v;
  }
}

static void rope(float *head, const float *cosine, const float *sine, size_t count) {
  const size_t half = count / 2;
  size_t i = 0;
  for (; i + 16 <= half; i += 16) {
    const f16v a = LOAD(head + i), b = LOAD(head + half + i);
    const f16v c = LOAD(cosine + i), s = LOAD(sine + i);
    STORE(head + i, a * c - b * s);
    STORE(head + half + i, b * c + a * s);
  }
  for (; i < half; i++) {
    const float a = head[i], b = head[half + i];
    head[i] = a * cosine[i] - b * sine[i];
    head[half + i] = b * cosine[i] + a * sine[i];
  }
}

static void rope_pairs(float *head, const float *cosine, const float *sine, size_t count) {
  const size_t half = count / 2;
  size_t i = 0;
  for (; i + 16 <= half; i += 16) {
    const f16v one = LOAD(head + 2 * i), two = LOAD(head + 2 * i + 16);
    const f16v a = __builtin_shufflevector(one, two, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
                                           26, 28, 30);
    const f16v b = __builtin_shufflevector(one, two, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25,
                                           27, 29, 31);
    const f16v c = LOAD(cosine + i), s = LOAD(sine + i);
    const f16v x = a * c - b * s, y = b * c + a * s;
    STORE(head + 2 * i, __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                                22, 7, 23));
    STORE(head + 2 * i + 16, __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                                     29, 14, 30, 15, 31));
  }
  for (; i < half; i++) {
    const float a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * cosine[i] - b * sine[i];
    head[2 * i + 1] = b * cosine[i] + a * sine[i];
  }
}

// cap * tanh(x / cap), tanh by one exponential; -infinity stays, as it stands for what isn't seen.
INLINE void cap16(const f16v *in, float cap, f16v *out) {
  const f16v x = *in, z = x / SPLAT(cap);
  const f16v minus = SELECT(z < 0.0f, z, -z) * 2.0f;
  f16v e;
  exp16(&minus, &e);
  const f16v t = (1.0f - e) / (1.0f + e) * SPLAT(cap);
  *out = SELECT(x == SPLAT(-INFINITY), x, SELECT(z < 0.0f, -t, t));
}

static void soft_cap(float *x, size_t count, float cap) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const f16v v = LOAD(x + i);
    f16v y;
    cap16(&v, cap, &y);
    STORE(x + i, y);
  }
  for (; i < count; i++) {
    const f16v v = SPLAT(x[i]);
    f16v y;
    cap16(&v, cap, &y);
    x[i] = y[0];
  }
}

static void add(float *y, const float *x, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) STORE(y + i, LOAD(y + i) + LOAD(x + i));
  for (; i < count; i++) y[i] += x[i];
}

static void scale(float *x, size_t count, float factor) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) STORE(x + i, LOAD(x + i) * SPLAT(factor));
  for (; i < count; i++) x[i] *= factor;
}

static void clip(float *x, size_t count, float bound) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const f16v v = LOAD(x + i), b = SPLAT(bound);
    STORE(x + i, SELECT(v > b, b, SELECT(v < -b, -b, v)));
  }
  for (; i < count; i++) x[i] = x[i] > bound ? bound : x[i] < -bound ? -bound : x[i];
}

INLINE float reduce_max(const f16v *v) {
  float best = (*v)[0];
  for (int i = 1; i < 16; i++) best = (*v)[i] > best ? (*v)[i] : best;
  return best;
}

static float maximum(const float *x, size_t count) {
  float best = -INFINITY;
  size_t i = 0;
  if (count >= 64) {
    f16v a = LOAD(x), b = LOAD(x + 16), c = LOAD(x + 32), d = LOAD(x + 48);
    for (i = 64; i + 64 <= count; i += 64) {
      const f16v e = LOAD(x + i), f = LOAD(x + i + 16), g = LOAD(x + i + 32), h = LOAD(x + i + 48);
      a = SELECT(e > a, e, a);
      b = SELECT(f > b, f, b);
      c = SELECT(g > c, g, c);
      d = SELECT(h > d, h, d);
    }
    a = SELECT(b > a, b, a);
    c = SELECT(d > c, d, c);
    a = SELECT(c > a, c, a);
    best = reduce_max(&a);
  }
  for (; i < count; i++) best = x[i] > best ? x[i] : best;
  return best;
}

// The greatest value, or NaN if a value is NaN or infinite: only then v - v isn't 0.
static float finite_maximum(const float *x, size_t count) {
  float best = -INFINITY, rest = 0;
  size_t i = 0;
  if (count >= 32) {
    f16v a = SPLAT(-INFINITY), b = a, c = SPLAT(0), d = c;
    for (; i + 32 <= count; i += 32) {
      const f16v e = LOAD(x + i), f = LOAD(x + i + 16);
      a = SELECT(e > a, e, a);
      b = SELECT(f > b, f, b);
      c += e - e;
      d += f - f;
    }
    a = SELECT(b > a, b, a);
    best = reduce_max(&a);
    rest = REDUCE_ADD(c + d);
  }
  for (; i < count; i++) {
    best = x[i] > best ? x[i] : best;
    rest += x[i] - x[i];
  }
  return best + rest;
}

static size_t index_of(const float *x, size_t count, float best) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const i16v equal = (i16v)(LOAD(x + i) == SPLAT(best));
    if (__builtin_reduce_or(equal)) break;
  }
  for (; i < count; i++)
    if (x[i] == best) return i;
  return count;
}

static size_t argmax(const float *x, size_t count) {
  const size_t found = index_of(x, count, maximum(x, count));
  return found < count ? found : 0;  // nothing but NaN
}

static size_t finite_argmax(const float *x, size_t count) {
  return index_of(x, count, finite_maximum(x, count));
}

static float exponential(const float *x, float *y, size_t count, float shift, float factor) {
  f16v sums = SPLAT(0);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const f16v v = (LOAD(x + i) - SPLAT(shift)) * SPLAT(factor);
    f16v e;
    exp16(&v, &e);
    STORE(y + i, e);
    sums += e;
  }
  float sum = REDUCE_ADD(sums);
  for (; i < count; i++) {
    y[i] = exp1((x[i] - shift) * factor);
    sum += y[i];
  }
  return sum;
}

INLINE float widen1(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void widen_bf16(const uint16_t *x, float *y, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    STORE(y + i, (f16v)(__builtin_convertvector(*(const h16u *)(x + i), u16v) << 16));
  for (; i < count; i++) {
    const uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(y + i, &bits, sizeof bits);
  }
}

static float read_sum(const float *x, size_t count) {
  f16v a = SPLAT(0), b = a, c = a, d = a;
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    a += LOAD(x + i);
    b += LOAD(x + i + 16);
    c += LOAD(x + i + 32);
    d += LOAD(x + i + 48);
  }
  float sum = REDUCE_ADD((a + b) + (c + d));
  for (; i < count; i++) sum += x[i];
  return sum;
}
