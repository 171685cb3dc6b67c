import CKernels
package import Drafter
import Foundation
import Tensors

/// Trains a confidence head by binary cross-entropy (DSpark, arXiv 2607.05147).
///
/// It learns about the drafter without changing it: neither hidden states nor what other heads make of tokens
/// nor the drafts' probabilities get a gradient.
package struct ConfidenceHeadTraining: HeadTraining {
  /// What a confidence head foretells of a row; 0 where the draft vocabulary lacks the target's token.
  package enum Label: String, Sendable, CaseIterable {
    /// Whether the drafter's most probable token is the target's: what greedy decoding asks.
    case match
    /// 1 − ½ Σ|p − q|, the chance that sampling from q is accepted.
    case variation
  }

  package var factor: Float
  package var label: Label

  package init(factor: Float = 1, label: Label = .match) {
    self.factor = factor
    self.label = label
  }

  private var confidence: ConfidenceHeadConfiguration { ConfidenceHeadConfiguration() }

  package var configuration: any BlockHeadConfiguration { confidence }
  package var setting: (name: String, value: String) {
    ("confidence", label == .match ? "\(factor)" : "\(factor), of \(label.rawValue)")
  }
  package var needsDistribution: Bool { label == .variation }

  /// At first the head says what the drafts' probabilities say.
  package func makeLayer(
    _ place: HeadPlace, layout: inout ParameterLayout, product: MatrixProduct
  ) -> any HeadLayer {
    ConfidenceHeadLayer(
      weight: layout.add(confidence.weight(place), initialization: .zeros),
      bias: layout.add(confidence.bias, initialization: .zeros),
      own: layout.add(confidence.own, initialization: .ones), hidden: place.hidden, training: self)
  }
}

/// Log-odds `w · [h ; previous] + b + a · ln(q / (1 − q))` of each row (`ConfidenceHead`).
private struct ConfidenceHeadLayer: HeadLayer {
  let weight: Int  // of w [hidden + previous width] in the flat parameters
  let bias: Int  // of b
  let own: Int  // of a
  let hidden: Int
  let training: ConfidenceHeadTraining

  func makeState(previous: [PreviousRows]) -> any HeadLayerState {
    ConfidenceHeadLayerState(self, previous)
  }

  /// The cross-entropy of log-odds z to a chance p that the event happens: ln(1 + e^z) − p·z.
  static func loss(odds z: Float, label p: Float) -> Float {
    max(z, 0) + log1p(exp(-abs(z))) - p * z
  }

  /// σ(z), the loss's gradient plus p.
  static func probability(odds z: Float) -> Float { 1 / (1 + exp(-z)) }
}

/// How much a row counts is its fixed weight, also where those of the other losses follow the drafter: rows
/// behind one that is never right would teach nothing.
private final class ConfidenceHeadLayerState: HeadLayerState {
  private let layer: ConfidenceHeadLayer
  private let before: [PreviousRows]
  private var odds = [Float](repeating: 0, count: DraftChunk.capacity)  // what the head says
  /// What it should say, negative for rows that teach nothing.
  private var labels = [Float](repeating: 0, count: DraftChunk.capacity)
  /// ln(q / (1 − q)) of the likeliest draft.
  private var own = [Float](repeating: 0, count: DraftChunk.capacity)

  init(_ layer: ConfidenceHeadLayer, _ before: [PreviousRows]) {
    self.layer = layer
    self.before = before
  }

  func loss(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) -> Double {
    for row in 0..<chunk.count { judge(row, of: chunk.targets[row], chunk) }
    computeOdds(parameters, chunk)
    return (0..<chunk.count).reduce(0) { sum, row in
      guard labels[row] >= 0 else { return sum }
      let loss = ConfidenceHeadLayer.loss(odds: odds[row], label: labels[row])
      return sum + Double(layer.training.factor * chunk.weights[row] * loss)
    }
  }

  func backwardLoss(_ gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk, scale: Float) {
    let factor = scale * layer.training.factor
    for row in 0..<chunk.count {
      odds[row] =
        labels[row] < 0
        ? 0
        : factor * chunk.weights[row]
          * (ConfidenceHeadLayer.probability(odds: odds[row]) - labels[row])
      gradients[layer.bias] += odds[row]
      gradients[layer.own] += odds[row] * own[row]
    }
    forEachPart(chunk) { x, start, width in
      MatrixProduct.f32.transposedTimes(
        rows: 1, columns: width, inner: chunk.count, odds, 1, x, width,
        into: gradients + layer.weight + start, width, accumulate: true)
    }
  }

  func confidences(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) -> [Float] {
    for row in 0..<chunk.count { judge(row, of: DraftExample.uncoveredTarget, chunk) }
    computeOdds(parameters, chunk)
    return odds[..<chunk.count].map(ConfidenceHeadLayer.probability)
  }

  private func computeOdds(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) {
    for row in 0..<chunk.count {
      odds[row] = parameters[layer.bias] + parameters[layer.own] * own[row]
    }
    forEachPart(chunk) { x, start, width in
      MatrixProduct.f32.timesTransposed(
        rows: chunk.count, columns: 1, inner: width, x, width, parameters + layer.weight + start,
        width, into: &odds, 1, accumulate: true)
    }
  }

  private func forEachPart(
    _ chunk: DraftChunk, _ body: (_ x: UnsafePointer<Float>, _ start: Int, _ width: Int) -> Void
  ) {
    body(chunk.hidden, 0, layer.hidden)
    var start = layer.hidden
    for part in before {
      body(part.values.base, start, part.width)
      start += part.width
    }
  }

  /// Finds what the head should say of a row, and what the likeliest draft says itself.
  private func judge(_ row: Int, of target: Int32, _ chunk: DraftChunk) {
    labels[row] = -1
    own[row] = 0
    let isUncovered = target == DraftExample.uncoveredTarget
    guard target >= 0 || isUncovered else { return }
    let probabilities = chunk.logits + row * chunk.choices
    if isUncovered { Kernels.softmax(probabilities, count: chunk.choices) }
    let likeliest = Kernels.argmax(probabilities, count: chunk.choices)
    own[row] = ConfidenceHead.odds(of: probabilities[likeliest])
    labels[row] =
      switch layer.training.label {
      case _ where isUncovered: 0
      case .match: likeliest == Int(target) ? 1 : 0
      case .variation: 1 - chunk.losses[row].variation
      }
  }
}
