import Foundation
import Tensors

/// How sure a drafter is that the target takes the draft of a row, all before it being right:
/// `σ(w · [h ; W1[previous]] + b + a · ln(q / (1 − q)))`, with the row's normed hidden state h, beside a
/// Markov head its row of the token before, and the draft's own probability q.
///
/// Without the last term it is DSpark's (arXiv 2607.05147; ALGORITHMS 3.3). With it, the head starts as q
/// itself, and learns in how far q is to be believed.
package struct ConfidenceHead: Sendable {
  /// The names of w, b and a.
  package static let (weightName, biasName, ownName) = (
    "confidence_head.proj.weight", "confidence_head.proj.bias", "confidence_head.own.weight"
  )

  let weight: FloatBuffer  // [hidden + rank]
  let bias: FloatBuffer  // [1]
  let own: FloatBuffer  // [1]

  /// Takes the weights from a drafter's file.
  ///
  /// - Throws: `SpeculateError` when one is missing or has another shape.
  init(_ source: any WeightSource, width: Int) throws {
    weight = try source.values(Self.weightName, [1, width])
    bias = try source.values(Self.biasName, [1])
    own = try source.values(Self.ownName, [1])
  }

  /// What hidden state and token before say of a row, as log-odds.
  ///
  /// - Parameters:
  ///   - hidden: The row's normed hidden state: [width − previous.count].
  ///   - previous: The Markov head's row of the token before; empty without one: [rank].
  func odds(hidden: UnsafePointer<Float>, previous: FloatBuffer) -> Float {
    let width = weight.count - previous.count
    var odds = bias.base[0]
    for column in 0..<width { odds += weight.base[column] * hidden[column] }
    for column in 0..<previous.count { odds += weight.base[width + column] * previous.base[column] }
    return odds
  }

  /// The confidence in a draft of a row's ``odds(hidden:previous:)``.
  ///
  /// - Parameter probability: By the drafter's distribution.
  func confidence(odds: Float, probability: Float) -> Float {
    1 / (1 + exp(-(odds + own.base[0] * Self.odds(of: probability))))
  }

  /// The log-odds ln(q / (1 − q)) of a probability, as near to 0 and 1 as f32 tells it from them.
  package static func odds(of probability: Float) -> Float {
    let inner = min(max(probability, 1e-6), 1 - 1e-6)
    return log(inner / (1 - inner))
  }
}
