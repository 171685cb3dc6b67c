import CKernels
package import Files
package import Tensors

/// One worker's forward and backward pass over some sequences, with its own gradients.
///
/// Workers share the parameters and nothing else, so a training step is one parallel region. A pass
/// is used by one thread at a time.
package final class CausalPass: GradientPass, @unchecked Sendable {
  // Unchecked: the recipe gives each worker its own pass.

  /// The model whose parameters are read.
  package let model: CausalTrainingModel
  /// The sum of gradients since `clearGradients`, in the model's layout.
  package let gradients: FloatBuffer
  /// The most sequences of one call.
  package let sequences: Int
  /// The tokens of each sequence.
  package let length: Int

  private let states: [TrainableLayerState]
  private let scratch: TrainableLayerScratch
  private let last: FloatBuffer  // [rows][hidden], the stream after the last layer
  private let lastNormed: FloatBuffer  // [rows][hidden]
  private let lastInverse: FloatBuffer  // [rows]
  private let d: FloatBuffer  // [rows][hidden], the stream's gradient
  private let logits: FloatBuffer  // [chunk rows][vocabulary]
  private let rotary: RotaryLayer
  private let positions: [Int32]  // [rows]
  private let visible: [Int32]  // [length]

  /// Makes the buffers of a pass over up to `sequences` sequences of `length` tokens.
  package init(model: CausalTrainingModel, sequences: Int, length: Int, rotary: RotaryLayer) {
    precondition(rotary.positions >= length, "rotary tables cover the sequence")
    MatrixProduct.useOneThread()
    self.model = model
    self.sequences = sequences
    self.length = length
    self.rotary = rotary
    let rows = sequences * length
    let hidden = model.architecture.hiddenSize
    let shape = model.layers[0]
    gradients = FloatBuffer(count: model.layout.count)
    states = model.layers.map { TrainableLayerState($0, sequences: sequences, length: length) }
    scratch = TrainableLayerScratch(shape, rows: rows, columns: length)
    last = FloatBuffer(count: rows * hidden)
    lastNormed = FloatBuffer(count: rows * hidden)
    lastInverse = FloatBuffer(count: rows)
    d = FloatBuffer(count: rows * hidden)
    logits = FloatBuffer(count: VocabularyLoss(head: model.embedding).scratchCount)
    positions = (0..<rows).map { Int32($0 % length) }
    visible = (0..<length).map { Int32($0 + 1) }
  }

  /// Adds the gradients of `scale` × the summed loss; returns the summed loss.
  ///
  /// - Parameters:
  ///   - inputs: [count × length] tokens, sequence after sequence.
  ///   - targets: [count × length], the token after each; negative ones are skipped.
  ///   - count: How many sequences, at most `sequences`.
  package func forwardBackward(
    inputs: UnsafePointer<Token>, targets: UnsafePointer<Token>, count: Int, scale: Float
  ) -> Double {
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.architecture.hiddenSize
    return withBatch(count) { batch in
      forward(inputs, batch: batch)
      let loss = VocabularyLoss(head: model.embedding).forwardBackward(
        parameters, gradients: gradients.base, rows: batch.rows, x: lastNormed.base,
        targets: targets, scale: scale, logits: logits.base, dX: scratch.normed.base)
      model.finalNorm.backward(
        parameters, gradients: gradients.base, rows: batch.rows, x: last.base, xStride: hidden,
        inverse: lastInverse.base, dY: scratch.normed.base, dX: d.base, dStride: hidden)
      for index in model.layers.indices.reversed() {
        model.layers[index].backward(
          parameters, gradients: gradients.base, state: states[index], scratch: scratch,
          batch: batch, d: d.base)
      }
      let table = gradients.base + model.embedding.offset
      for row in 0..<batch.rows {
        ct_add(hidden, d.base + row * hidden, table + Int(inputs[row]) * hidden)
      }
      return loss
    }
  }

  /// Returns the summed loss of some sequences without touching the gradients.
  package func loss(
    inputs: UnsafePointer<Token>, targets: UnsafePointer<Token>, count: Int
  ) -> Double {
    withBatch(count) { batch in
      forward(inputs, batch: batch)
      return VocabularyLoss(head: model.embedding).loss(
        model.parameters.base, rows: batch.rows, x: lastNormed.base, targets: targets,
        logits: logits.base)
    }
  }

  /// Runs the layers and the last norm.
  private func forward(_ inputs: UnsafePointer<Token>, batch: TrainableLayer.Batch) {
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.architecture.hiddenSize
    let table = parameters + model.embedding.offset
    for row in 0..<batch.rows {
      (states[0].input.base + row * hidden).update(
        from: table + Int(inputs[row]) * hidden, count: hidden)
    }
    for (index, layer) in model.layers.enumerated() {
      let next = index + 1 < states.count ? states[index + 1].input : last
      layer.forward(parameters, state: states[index], batch: batch, next: next.base)
    }
    model.finalNorm.forward(
      parameters, rows: batch.rows, x: last.base, xStride: hidden, y: lastNormed.base,
      yStride: hidden, inverse: lastInverse.base)
  }

  private func withBatch<R>(_ count: Int, _ body: (TrainableLayer.Batch) -> R) -> R {
    precondition(count >= 1 && count <= sequences, "a pass takes 1 to \(sequences) sequences")
    return positions.withUnsafeBufferPointer { positions in
      visible.withUnsafeBufferPointer { visible in
        guard let positions = positions.baseAddress, let visible = visible.baseAddress else {
          preconditionFailure("a pass has at least one row")
        }
        return body(
          TrainableLayer.Batch(
            sequences: count, length: length, positions: positions, visible: visible,
            rotary: rotary))
      }
    }
  }
}
