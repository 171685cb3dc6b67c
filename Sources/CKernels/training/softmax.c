// Softmax of attention scores and softmax cross-entropy, forward and backward.
#include <math.h>
#include <stddef.h>

#include "CKernelsTraining.h"
#include "simd.h"

CT_CLONES void ct_attention_softmax(long rows, long columns, long stride, const int32_t *visible,
                                    float scale, float *scores) {
  CT_FAST for (long r = 0; r < rows; r++) {
    float *row = scores + r * stride;
    long n = visible[r];
    float sum = 0, offset = n > 0 ? ct_max(row, n) * scale : 0;
    for (long i = 0; i < n; i++) {
      float e = ct_exp(row[i] * scale - offset);
      row[i] = e;
      sum += e;
    }
    float factor = n > 0 ? 1.0f / sum : 0;
    for (long i = 0; i < n; i++) row[i] *= factor;
    for (long i = n; i < columns; i++) row[i] = 0;
  }
}

CT_CLONES void ct_attention_softmax_backward(long rows, long columns, long stride,
                                             const float *probabilities, const float *dots,
                                             float scale, float *d_scores) {
  CT_FAST for (long r = 0; r < rows; r++) {
    const float *p = probabilities + r * stride;
    float *d = d_scores + r * stride;
    float dot = dots[r];
    for (long i = 0; i < columns; i++) d[i] = p[i] * (d[i] - dot) * scale;
  }
}

CT_CLONES void ct_softmax(long rows, long columns, const int32_t *targets, float *logits,
                          float *log_means) {
  CT_FAST for (long r = 0; r < rows; r++) {
    float *row = logits + r * columns;
    if (targets[r] < 0) {
      log_means[r] = 0;
      continue;
    }
    float top = ct_max(row, columns), sum = 0, dot = 0;
    for (long i = 0; i < columns; i++) {
      float z = row[i] - top, e = ct_exp(z);
      row[i] = e;
      sum += e;
      dot += e * z;
    }
    float factor = 1.0f / sum;
    for (long i = 0; i < columns; i++) row[i] *= factor;
    log_means[r] = dot * factor - logf(sum);
  }
}

CT_CLONES void ct_draft_losses(long rows, long columns, const int32_t *targets, float *logits,
                               const float *teacher, const float *log_means,
                               ct_draft_terms *losses) {
  CT_FAST for (long r = 0; r < rows; r++) {
    float *row = logits + r * columns;
    losses[r] = (ct_draft_terms){0, 0, 0};
    if (targets[r] < 0) continue;
    float top = ct_max(row, columns), target = row[targets[r]] - top, sum = 0, dot = 0;
    const float *p = teacher ? teacher + r * columns : 0;
    if (p)
      for (long i = 0; i < columns; i++) dot += p[i] * (row[i] - top);
    for (long i = 0; i < columns; i++) {
      float e = ct_exp(row[i] - top);
      row[i] = e;
      sum += e;
    }
    float factor = 1.0f / sum, distance = 0;
    for (long i = 0; i < columns; i++) row[i] *= factor;
    losses[r].cross_entropy = logf(sum) - target;
    if (!p) continue;
    for (long i = 0; i < columns; i++) distance += fabsf(p[i] - row[i]);
    losses[r].divergence = log_means[r] - dot + logf(sum);
    losses[r].variation = 0.5f * distance;
  }
}

CT_CLONES void ct_certain_entropies(long rows, long columns, const int32_t *targets,
                                    const float *probabilities, float *entropies) {
  CT_FAST for (long r = 0; r < rows; r++) {
    const float *q = probabilities + r * columns;
    entropies[r] = -1;
    if (targets[r] < 0 || q[targets[r]] < ct_max(q, columns)) continue;
    float sum = 0;
    for (long i = 0; i < columns; i++) sum += q[i] * ct_log(q[i]);
    entropies[r] = sum < 0 ? -sum : 0;
  }
}

/// One row of ct_draft_gradient; `sureness` 0 leaves the logarithms out, which cost most.
static inline __attribute__((always_inline)) void ct_gradient_row(
    long columns, float own, float divergence, float variation, float sureness, float entropy,
    float *q, const float *p) {
  CT_FAST float mean = 0;  // of the sign of q - p, under q
  if (p)
    for (long i = 0; i < columns; i++) mean += q[i] > p[i] ? q[i] : q[i] < p[i] ? -q[i] : 0;
  for (long i = 0; i < columns; i++) {
    float factor = own, other = 0;
    if (p) {
      float sign = q[i] > p[i] ? 1.0f : q[i] < p[i] ? -1.0f : 0.0f;
      factor += variation * (sign - mean);
      other = divergence * p[i];
    }
    if (sureness != 0) factor -= sureness * (ct_log(q[i]) + entropy);
    q[i] = q[i] * factor - other;
  }
}

CT_CLONES void ct_draft_gradient(long rows, long columns, const int32_t *targets,
                                 const float *weights, float scale, ct_draft_terms terms,
                                 float certainty, const float *entropies, float *drafter,
                                 const float *teacher) {
  CT_FAST for (long r = 0; r < rows; r++) {
    float *q = drafter + r * columns;
    if (targets[r] < 0) {
      memset(q, 0, (size_t)columns * sizeof(float));
      continue;
    }
    float weight = scale * weights[r];
    float own = weight * (terms.cross_entropy + terms.divergence);
    float divergence = weight * terms.divergence, variation = weight * 0.5f * terms.variation;
    const float *p = teacher ? teacher + r * columns : 0;
    if (entropies && entropies[r] >= 0)
      ct_gradient_row(columns, own, divergence, variation, weight * certainty, entropies[r], q, p);
    else
      ct_gradient_row(columns, own, divergence, variation, 0, 0, q, p);
    q[targets[r]] -= weight * terms.cross_entropy;
  }
}

CT_CLONES void ct_row_dots(long rows, long width, const float *a, long a_stride, const float *b,
                           long b_stride, float *output) {
  CT_FAST for (long r = 0; r < rows; r++) {
    const float *x = a + r * a_stride, *y = b + r * b_stride;
    float sum = 0;
    for (long i = 0; i < width; i++) sum += x[i] * y[i];
    output[r] = sum;
  }
}

CT_CLONES double ct_cross_entropy(long rows, long vocabulary, const int32_t *targets,
                                  const float *weights, float scale, float *logits,
                                  float *losses) {
  CT_FAST double total = 0;
  for (long r = 0; r < rows; r++) {
    float *row = logits + r * vocabulary;
    if (targets[r] < 0) {
      memset(row, 0, (size_t)vocabulary * sizeof(float));
      if (losses) losses[r] = 0;
      continue;
    }
    float top = ct_max(row, vocabulary);
    float target = row[targets[r]] - top, sum = 0;
    for (long i = 0; i < vocabulary; i++) {
      float e = ct_exp(row[i] - top);
      row[i] = e;
      sum += e;
    }
    float weight = weights ? weights[r] : 1.0f;
    float factor = scale * weight / sum;
    for (long i = 0; i < vocabulary; i++) row[i] *= factor;
    row[targets[r]] -= scale * weight;
    float loss = weight * (logf(sum) - target);
    if (losses) losses[r] = loss;
    total += loss;
  }
  return total;
}

CT_CLONES double ct_cross_entropy_loss(long rows, long vocabulary, const int32_t *targets,
                                       const float *weights, const float *logits, float *losses) {
  CT_FAST double total = 0;
  for (long r = 0; r < rows; r++) {
    const float *row = logits + r * vocabulary;
    if (targets[r] < 0) {
      if (losses) losses[r] = 0;
      continue;
    }
    float top = ct_max(row, vocabulary);
    float sum = 0;
    for (long i = 0; i < vocabulary; i++) sum += ct_exp(row[i] - top);
    float loss = (weights ? weights[r] : 1.0f) * (logf(sum) - (row[targets[r]] - top));
    if (losses) losses[r] = loss;
    total += loss;
  }
  return total;
}
