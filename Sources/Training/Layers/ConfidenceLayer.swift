import Drafter
import Foundation

/// A drafter's confidence head in training: log-odds `w · [h ; W1[previous]] + b + a · ln(q / (1 − q))` of
/// each row, learnt by binary cross-entropy (`ConfidenceHead`).
///
/// It learns about the drafter without changing it: neither h nor W1 nor q get a gradient.
struct ConfidenceLayer: Sendable {
  /// Where w [hidden + rank] starts in the flat parameters.
  let weight: Int
  /// Where b is.
  let bias: Int
  /// Where a is.
  let own: Int
  /// The width of h.
  let hidden: Int
  /// The width of W1's rows; 0 without a Markov head.
  let rank: Int

  /// Appends the tensors: at first the head says what q says.
  init(hidden: Int, rank: Int, layout: inout ParameterLayout) {
    weight = layout.add(
      ConfidenceHead.weightName, shape: [1, hidden + rank], initialization: .zeros)
    bias = layout.add(ConfidenceHead.biasName, shape: [1], initialization: .zeros)
    own = layout.add(ConfidenceHead.ownName, shape: [1], initialization: .ones)
    self.hidden = hidden
    self.rank = rank
  }

  /// The rows of a chunk.
  struct Rows {
    var count: Int
    var x: UnsafePointer<Float>  // [count][hidden], normed
    var previous: UnsafePointer<Float>  // [count][rank]
    var own: UnsafePointer<Float>  // [count], ln(q / (1 − q)) of the likeliest draft
  }

  /// Writes the rows' log-odds [count].
  func forward(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, odds: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows.count { odds[row] = parameters[bias] + parameters[own] * rows.own[row] }
    forEachPart(rows) { x, start, width in
      MatrixProduct.f32.timesTransposed(
        rows: rows.count, columns: 1, inner: width, x, width, parameters + weight + start, width,
        into: odds, 1, accumulate: true)
    }
  }

  /// Adds the gradients of w, b and a.
  func backward(
    gradients: UnsafeMutablePointer<Float>, _ rows: Rows, dOdds: UnsafePointer<Float>
  ) {
    for row in 0..<rows.count {
      gradients[bias] += dOdds[row]
      gradients[own] += dOdds[row] * rows.own[row]
    }
    forEachPart(rows) { x, start, width in
      MatrixProduct.f32.transposedTimes(
        rows: 1, columns: width, inner: rows.count, dOdds, 1, x, width,
        into: gradients + weight + start, width, accumulate: true)
    }
  }

  /// The cross-entropy of log-odds z to a chance p that the event happens: ln(1 + e^z) − p·z.
  static func loss(odds z: Float, label p: Float) -> Float {
    max(z, 0) + log1p(exp(-abs(z))) - p * z
  }

  /// σ(z), the loss's gradient plus p.
  static func probability(odds z: Float) -> Float { 1 / (1 + exp(-z)) }

  private func forEachPart(
    _ rows: Rows, _ body: (_ x: UnsafePointer<Float>, _ start: Int, _ width: Int) -> Void
  ) {
    body(rows.x, 0, hidden)
    if rank > 0 { body(rows.previous, hidden, rank) }
  }
}
