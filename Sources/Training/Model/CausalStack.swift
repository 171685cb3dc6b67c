import CKernels
import Files
import Tensors

/// The layers of a causal model in one worker's pass, from tokens to what the head takes and back:
/// activations, and gradients of its own. Attention is the pass's, which knows how its rows see each
/// other.
final class CausalStack {
  let model: CausalTrainingModel
  var gradients: FloatBuffer
  var didSettle: (@Sendable (Int) -> Void)?
  let scratch: TrainableLayerScratch
  /// The stream after the last layer, normed: [rows][hidden].
  let output: FloatBuffer

  private let states: [TrainableLayerState]
  private let last: FloatBuffer  // [rows][hidden], the stream after the last layer
  private let lastInverse: FloatBuffer  // [rows]
  private let d: FloatBuffer  // [rows][hidden], the stream's gradient
  private let hidden: Int

  /// Makes the buffers of up to `rows` rows that see up to `columns` keys, with room for as many attention
  /// probabilities of a layer as given.
  init(_ model: CausalTrainingModel, rows: Int, columns: Int, probabilities: Int) {
    MatrixProduct.useOneThread()
    self.model = model
    hidden = model.architecture.hiddenSize
    gradients = FloatBuffer(count: model.layout.count)
    states = model.layers.map { TrainableLayerState($0, rows: rows, probabilities: probabilities) }
    scratch = TrainableLayerScratch(model.layers[0], rows: rows, columns: columns)
    output = FloatBuffer(count: rows * hidden)
    last = FloatBuffer(count: rows * hidden)
    lastInverse = FloatBuffer(count: rows)
    d = FloatBuffer(count: rows * hidden)
  }

  /// Computes `output`.
  ///
  /// - Parameter attend: Computes a layer's `attended` of its projections.
  func forward(
    _ inputs: UnsafePointer<Token>, rows: TrainableLayer.Rows,
    attend: (TrainableLayer, TrainableLayerState) -> Void
  ) {
    let parameters = UnsafePointer(model.parameters.base)
    let table = parameters + model.embedding.offset
    for row in 0..<rows.count {
      (states[0].input.base + row * hidden).update(
        from: table + Int(inputs[row]) * hidden, count: hidden)
    }
    for (index, layer) in model.layers.enumerated() {
      let next = index + 1 < states.count ? states[index + 1].input : last
      layer.forwardProjections(parameters, state: states[index], rows: rows)
      attend(layer, states[index])
      layer.forwardOutput(parameters, state: states[index], rows: rows.count, next: next.base)
    }
    model.finalNorm.forward(
      parameters, rows: rows.count, x: last.base, xStride: hidden, y: output.base,
      yStride: hidden, inverse: lastInverse.base)
  }

  /// Adds the gradients of all layers, from that of `output` in `scratch.normed`.
  ///
  /// - Parameters:
  ///   - inputs: The rows' tokens, whose rows of the embedding get a gradient; nil where it has none.
  ///   - attend: Turns `scratch.attended` into `scratch.queryKeyValue`.
  func backward(
    _ inputs: UnsafePointer<Token>?, rows: TrainableLayer.Rows,
    attend: (TrainableLayer, TrainableLayerState) -> Void
  ) {
    let parameters = UnsafePointer(model.parameters.base)
    model.finalNorm.backward(
      parameters, gradients: gradients.base, rows: rows.count, x: last.base, xStride: hidden,
      inverse: lastInverse.base, dY: scratch.normed.base, dX: d.base, dStride: hidden)
    didSettle?(model.finalNorm.offset)
    for index in model.layers.indices.reversed() {
      let (layer, state) = (model.layers[index], states[index])
      layer.backwardOutput(
        parameters, gradients: gradients.base, state: state, scratch: scratch, rows: rows.count,
        d: d.base, didSettle: didSettle)
      attend(layer, state)
      layer.backwardProjections(
        parameters, gradients: gradients.base, state: state, scratch: scratch, rows: rows,
        d: d.base)
      didSettle?(layer.offset)
    }
    guard let inputs else { return }
    let table = gradients.base + model.embedding.offset
    for row in 0..<rows.count {
      ct_add(hidden, d.base + row * hidden, table + Int(inputs[row]) * hidden)
    }
  }
}
