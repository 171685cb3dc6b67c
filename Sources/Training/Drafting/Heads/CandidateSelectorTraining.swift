import CKernels
package import Drafter
import Files
import Foundation
import Tensors

/// Trains a candidate selector by cross-entropy over a row's candidates, the sequence's own token standing before each
/// (DFlash 2; docs/algorithms.md 3.3).
///
/// It learns about the drafter without changing it: neither hidden states nor the drafter's own logits get a gradient.
/// Rows whose candidates lack the target's token teach nothing.
package struct CandidateSelectorTraining: HeadTraining {
  package var factor: Float
  private let selector: CandidateSelectorConfiguration

  package init(rank: Int, candidates: Int = 16, factor: Float = 1) {
    selector = CandidateSelectorConfiguration(rank: rank, candidates: candidates)
    self.factor = factor
  }

  package var configuration: any BlockHeadConfiguration { selector }
  package var setting: (name: String, value: String) {
    ("selector rank", "\(selector.rank) of \(selector.candidates), factor \(factor)")
  }

  /// Successors start as zeros, so that the head is the identity on a row's candidates.
  package func makeLayer(
    _ place: HeadPlace, layout: inout ParameterLayout, product: MatrixProduct
  ) -> any HeadLayer {
    let deviation = 1 / Float(selector.rank).squareRoot()
    let predecessors = layout.add(
      selector.predecessors(place), initialization: .normal(deviation: deviation))
    let successors = layout.add(selector.successors(place), initialization: .zeros)
    let projection = layout.add(
      selector.projection(place),
      initialization: .normal(deviation: 1 / Float(place.hidden).squareRoot()))
    return CandidateSelectorLayer(
      predecessors: predecessors, successors: successors,
      projection: LinearLayer(
        offset: projection, inputs: place.hidden, outputs: selector.rank, product: product),
      candidates: min(selector.candidates, place.choices), factor: factor)
  }
}

/// Scores `ln q(c) + Σ_r A[previous]_r · (W · h)_r · B[c]_r` of a row's likeliest tokens c (`CandidateSelector`).
private struct CandidateSelectorLayer: HeadLayer {
  let predecessors: Int  // of A [vocabulary][rank] in the flat parameters
  let successors: Int  // of B [choices][rank]
  let projection: LinearLayer  // W [rank][hidden]
  let candidates: Int
  let factor: Float

  var rank: Int { projection.outputs }

  func makeState(previous: [PreviousRows]) -> any HeadLayerState {
    CandidateSelectorLayerState(self)
  }
}

private final class CandidateSelectorLayerState: HeadLayerState {
  private let layer: CandidateSelectorLayer
  private let gates: FloatBuffer  // [capacity][rank]: W · h
  private let dGates: FloatBuffer  // [capacity][rank]
  private let context: FloatBuffer  // [rank]: A[previous] · gate
  private let dContext: FloatBuffer  // [rank]
  private var tokens: [Int] = []  // [capacity][candidates]
  /// The scores, then their distribution: [capacity][candidates].
  private var scores: [Float]
  /// Where the target's token stands among a row's candidates, −1 if nowhere: [capacity].
  private var targets = [Int](repeating: -1, count: DraftChunk.capacity)
  private var found: [Int] = []
  private var parameters: UnsafePointer<Float>?

  init(_ layer: CandidateSelectorLayer) {
    self.layer = layer
    gates = FloatBuffer(count: DraftChunk.capacity * layer.rank)
    dGates = FloatBuffer(count: DraftChunk.capacity * layer.rank)
    context = FloatBuffer(count: layer.rank)
    dContext = FloatBuffer(count: layer.rank)
    tokens = [Int](repeating: 0, count: DraftChunk.capacity * layer.candidates)
    scores = [Float](repeating: 0, count: DraftChunk.capacity * layer.candidates)
  }

  func loss(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) -> Double {
    self.parameters = parameters
    layer.projection.forward(parameters, rows: chunk.count, x: chunk.hidden, y: gates.base)
    return (0..<chunk.count).reduce(0) { sum, row in
      judge(row, chunk)
      guard targets[row] >= 0 else { return sum }
      let chance = score(row, parameters, chunk)
      return sum - Double(layer.factor * chunk.weights[row] * log(max(chance, 1e-30)))
    }
  }

  /// Finds a row's candidates, and the target's token among them.
  private func judge(_ row: Int, _ chunk: DraftChunk) {
    targets[row] = -1
    let target = Int(chunk.targets[row])
    guard target >= 0 else { return }
    let probabilities = chunk.logits + row * chunk.choices
    TopWeights.find(probabilities, count: chunk.choices, limit: layer.candidates, into: &found)
    guard let place = found.firstIndex(of: target) else { return }
    targets[row] = place
    for (index, token) in found.enumerated() { tokens[row * layer.candidates + index] = token }
  }

  /// Scores a row's candidates and makes a distribution of the scores.
  ///
  /// - Returns: the chance of the target's token.
  private func score(
    _ row: Int, _ parameters: UnsafePointer<Float>, _ chunk: DraftChunk
  ) -> Float {
    let (rank, count) = (layer.rank, layer.candidates)
    let first = row * count
    prepare(row, parameters, chunk)
    for index in first..<first + count {
      let successor = parameters + layer.successors + tokens[index] * rank
      var edge: Float = 0
      for column in 0..<rank { edge += context.base[column] * successor[column] }
      scores[index] = log(max(chunk.logits[row * chunk.choices + tokens[index]], 1e-30)) + edge
    }
    scores.withUnsafeMutableBufferPointer { scores in
      if let base = scores.baseAddress { Kernels.softmax(base + first, count: count) }
    }
    return scores[first + targets[row]]
  }

  /// A[previous] · gate of a row.
  private func prepare(_ row: Int, _ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) {
    let predecessor = parameters + layer.predecessors + Int(chunk.previous[row]) * layer.rank
    let gate = gates.base + row * layer.rank
    for column in 0..<layer.rank { context.base[column] = predecessor[column] * gate[column] }
  }

  func backwardLoss(_ gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk, scale: Float) {
    guard let parameters else { return }
    let (rank, count) = (layer.rank, layer.candidates)
    for row in 0..<chunk.count {
      let dGate = dGates.base + row * rank
      dGate.update(repeating: 0, count: rank)
      guard targets[row] >= 0 else { continue }
      let factor = scale * layer.factor * chunk.weights[row]
      prepare(row, parameters, chunk)
      dContext.base.update(repeating: 0, count: rank)
      for index in 0..<count {
        let slot = row * count + index
        let slope = factor * (scores[slot] - (index == targets[row] ? 1 : 0))
        let offset = layer.successors + tokens[slot] * rank
        for column in 0..<rank {
          dContext.base[column] += slope * parameters[offset + column]
          gradients[offset + column] += slope * context.base[column]
        }
      }
      let offset = layer.predecessors + Int(chunk.previous[row]) * rank
      let gate = gates.base + row * rank
      for column in 0..<rank {
        gradients[offset + column] += dContext.base[column] * gate[column]
        dGate[column] = dContext.base[column] * parameters[offset + column]
      }
    }
    MatrixProduct.f32.transposedTimes(
      rows: rank, columns: layer.projection.inputs, inner: chunk.count, dGates.base, rank,
      chunk.hidden, layer.projection.inputs, into: gradients + layer.projection.offset,
      layer.projection.inputs, accumulate: true)
  }
}
