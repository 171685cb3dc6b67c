import CKernels
import Drafter
import Tensors

/// The confidence head's part of the losses.
///
/// How much a row counts is its fixed weight, also where those of the other terms follow the drafter: rows
/// behind one that is never right would teach nothing.
extension DraftLoss {
  /// A chunk's rows as the head sees them: [chunkRows] each, empty without a head.
  struct Confidence {
    var odds: [Float]  // what the head says
    var labels: [Float]  // what it should say, negative for rows that teach nothing
    var own: [Float]  // ln(q / (1 − q)) of the likeliest draft

    /// Makes room, if there is a head.
    init(_ loss: DraftLoss) {
      odds = [Float](repeating: 0, count: loss.confidence == nil ? 0 : DraftLoss.chunkRows)
      labels = odds
      own = odds
    }
  }

  /// Computes odds and labels of a chunk whose logits are probabilities in rows that have a target, and
  /// returns the weighted losses' sum.
  func confidenceLoss(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, _ start: Int, _ count: Int,
    _ scratch: Scratch
  ) -> Double {
    guard let confidence else { return 0 }
    for row in 0..<count { judge(row, of: rows.targets[start + row], scratch) }
    withRows(rows, start, count, scratch) {
      confidence.forward(parameters, $0, odds: $1)
    }
    return (0..<count).reduce(0) { sum, row in
      let label = scratch.confidence.labels[row]
      guard label >= 0 else { return sum }
      let loss = ConfidenceLayer.loss(odds: scratch.confidence.odds[row], label: label)
      return sum + Double(objective.confidence * rows.weights[start + row] * loss)
    }
  }

  /// Adds the head's gradients, after ``confidenceLoss``.
  func backwardConfidence(
    _ gradients: UnsafeMutablePointer<Float>, _ rows: Rows, _ start: Int, _ count: Int,
    scale: Float, _ scratch: Scratch
  ) {
    guard let confidence else { return }
    let factor = scale * objective.confidence
    withRows(rows, start, count, scratch) { part, odds in
      for row in 0..<count {
        let label = scratch.confidence.labels[row]
        odds[row] =
          label < 0
          ? 0
          : factor * rows.weights[start + row]
            * (ConfidenceLayer.probability(odds: odds[row]) - label)
      }
      confidence.backward(gradients: gradients, part, dOdds: odds)
    }
  }

  /// The confidence of every row [rows.count]; empty without a head.
  func confidences(
    _ parameters: UnsafePointer<Float>, rows: Rows, scratch: Scratch
  ) -> [Float] {
    guard let confidence else { return [] }
    var all: [Float] = []
    forEachChunk(parameters, rows, scratch) { start, count in
      for row in 0..<count { judge(row, of: DraftExample.uncoveredTarget, scratch) }
      withRows(rows, start, count, scratch) { confidence.forward(parameters, $0, odds: $1) }
      all += scratch.confidence.odds[..<count].map(ConfidenceLayer.probability)
    }
    return all
  }

  private func withRows(
    _ rows: Rows, _ start: Int, _ count: Int, _ scratch: Scratch,
    _ body: (_ part: ConfidenceLayer.Rows, _ odds: UnsafeMutablePointer<Float>) -> Void
  ) {
    var odds = scratch.confidence.odds
    scratch.confidence.own.withUnsafeBufferPointer { own in
      guard let own = own.baseAddress else { return }
      body(
        ConfidenceLayer.Rows(
          count: count, x: rows.x + start * hidden,
          previous: UnsafePointer(scratch.previous.base), own: own), &odds)
    }
    scratch.confidence.odds = odds
  }

  /// Finds what the head should say of a row, and what the likeliest draft says itself.
  private func judge(_ row: Int, of target: Int32, _ scratch: Scratch) {
    scratch.confidence.labels[row] = -1
    scratch.confidence.own[row] = 0
    let isUncovered = target == DraftExample.uncoveredTarget
    guard target >= 0 || isUncovered else { return }
    let probabilities = scratch.logits.base + row * choices
    if isUncovered { Kernels.softmax(probabilities, count: choices) }
    let likeliest = Kernels.argmax(probabilities, count: choices)
    scratch.confidence.own[row] = ConfidenceHead.odds(of: probabilities[likeliest])
    scratch.confidence.labels[row] =
      switch objective.confidenceLabel {
      case _ where isUncovered: 0
      case .match: likeliest == Int(target) ? 1 : 0
      case .variation: 1 - scratch.losses[row].variation
      }
  }
}
