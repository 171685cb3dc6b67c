// Row-wise kernels of training: everything but the matrix products. Each works on the rows it is
// given, on one thread, and allocates nothing; rows are f32 and row-major.
//
// Compiled once per x86-64 level and chosen when the program loads. They are not part of the
// target's inference path, so sums may be reassociated: results differ between levels in the last
// bits, but never between two runs on one machine.
#ifndef CKERNELS_TRAINING_H
#define CKERNELS_TRAINING_H
#include <stdint.h>

/// A matrix of `rows` rows, each holding `groups` vectors of `width` values side by side, the rows
/// `stride` values apart. Hidden states have one group; heads are groups.
typedef struct {
  long rows, groups, width, stride;
} ct_groups;

/// output = x * inverse * weight per vector, inverse = 1 / sqrt(mean(x^2) + epsilon).
/// `inverse` [rows * groups] is kept for the backward pass; `output` has rows `output_stride` apart.
void ct_rmsnorm_forward(ct_groups shape, const float *x, const float *weight, float epsilon,
                        float *output, long output_stride, float *inverse);

/// Adds the weight's gradient to `d_weight` [width] and writes (or with `accumulate` adds) x's
/// gradient to `d_x`. `d_output` may be `d_x`. Rows of both gradients are `d_stride` apart.
void ct_rmsnorm_backward(ct_groups shape, const float *x, const float *weight, const float *inverse,
                         const float *d_output, float *d_x, long d_stride, int accumulate,
                         float *d_weight);

/// Rotates each head in place by its row's position, half-split convention.
/// `cosines` and `sines` are [positions][width / 2]; `direction` -1 is the backward pass.
void ct_rope(ct_groups shape, float *x, const int32_t *positions, const float *cosines,
             const float *sines, float direction);

/// output[width] = silu(gate) * up per row; a row of `gate_up` is gate[width] then up[width].
void ct_swiglu_forward(long rows, long width, const float *gate_up, float *output);

/// Writes the gradient of `gate_up` from that of the output.
void ct_swiglu_backward(long rows, long width, const float *gate_up, const float *d_output,
                        float *d_gate_up);

/// Turns scores into probabilities in place: row r keeps its first `visible[r]` columns, the other
/// columns become 0. Rows are `stride` apart and `columns` wide; scores are multiplied by `scale`.
void ct_attention_softmax(long rows, long columns, long stride, const int32_t *visible, float scale,
                          float *scores);

/// Turns the gradient of probabilities into that of the raw scores, in place.
/// `dots[r]` is sum(d_probability * probability) of row r, which is d_output · output of that row.
void ct_attention_softmax_backward(long rows, long columns, long stride, const float *probabilities,
                                   const float *dots, float scale, float *d_scores);

/// output[r] = a[r] · b[r] for vectors of `width` values, rows `a_stride` and `b_stride` apart.
void ct_row_dots(long rows, long width, const float *a, long a_stride, const float *b,
                 long b_stride, float *output);

/// Softmax cross-entropy of `rows` logit rows against `targets`; a negative target is skipped.
/// Replaces the logits by their gradient times `scale` (times `weights[r]` unless NULL) and returns
/// the sum of the (weighted) losses, without `scale`. `losses` [rows] may be NULL.
double ct_cross_entropy(long rows, long vocabulary, const int32_t *targets, const float *weights,
                        float scale, float *logits, float *losses);

/// As ct_cross_entropy, but only the losses: logits are left as they are.
double ct_cross_entropy_loss(long rows, long vocabulary, const int32_t *targets,
                             const float *weights, const float *logits, float *losses);

/// Turns `rows` logit rows into probabilities in place; rows with a negative target are left as they
/// are. `log_means[r]` becomes sum(p log p), the negative of the row's entropy.
void ct_softmax(long rows, long columns, const int32_t *targets, float *logits, float *log_means);

/// The losses of a drafted row, or the factors that they have in the whole: cross-entropy to the
/// target's token, KL(p || q) and total variation ½ sum|p - q| to the target's distribution.
typedef struct {
  float cross_entropy, divergence, variation;
} ct_draft_terms;

/// Turns `rows` logit rows into probabilities q in place and writes the losses of each; a negative
/// target's are 0. `teacher` holds the target's probabilities p of the same columns, and `log_means`
/// its sum(p log p); both NULL for cross-entropy alone.
void ct_draft_losses(long rows, long columns, const int32_t *targets, float *logits,
                     const float *teacher, const float *log_means, ct_draft_terms *losses);

/// The entropy -sum(q log q) of each row whose most probable column is its target already; -1 for the
/// other rows.
void ct_certain_entropies(long rows, long columns, const int32_t *targets,
                          const float *probabilities, float *entropies);

/// Replaces probabilities q by the gradient of `scale * weights[r] * (terms · losses + certainty *
/// entropy)` with respect to the logits, the entropy of those rows alone that `entropies`
/// (ct_certain_entropies) has one of. `entropies` NULL for none of them, `teacher` NULL if `terms` has
/// cross-entropy alone.
void ct_draft_gradient(long rows, long columns, const int32_t *targets, const float *weights,
                       float scale, ct_draft_terms terms, float certainty, const float *entropies,
                       float *drafter, const float *teacher);

/// y += x.
void ct_add(long count, const float *x, float *y);

/// y += x; returns the sum of squares of the result.
double ct_add_and_sum_squares(long count, const float *x, float *y);

/// The sum of squares.
double ct_sum_squares(long count, const float *x);

/// Rounds to bf16, to the nearest and of two to the even one; NaN stays NaN.
void ct_round_bf16(long count, float *y);

/// y = x, of values that are bf16 already.
void ct_pack_bf16(long count, const float *x, uint16_t *y);

/// y = x.
void ct_unpack_bf16(long count, const uint16_t *x, float *y);

/// One AdamW step's constants: `step_size` = lr / (1 - beta1^t), `root_scale` = 1 / sqrt(1 - beta2^t),
/// `decay` = lr * weight decay, `gradient_scale` = the clipping factor.
typedef struct {
  float step_size, root_scale, beta1, beta2, epsilon, decay, gradient_scale;
} ct_adamw_step;

/// Updates `count` parameters and their moments in place.
void ct_adamw(long count, ct_adamw_step step, const float *gradient, float *first, float *second,
              float *parameters);

#endif
