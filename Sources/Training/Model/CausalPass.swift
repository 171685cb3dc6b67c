package import Files
package import Tensors

/// One worker's forward and backward pass over some sequences, with its own gradients.
///
/// Workers share the parameters and nothing else, so a training step is one parallel region. A pass
/// is used by one thread at a time.
package final class CausalPass: GradientPass, @unchecked Sendable {
  // Unchecked: the recipe gives each worker its own pass.

  package let sequences: Int
  package let length: Int
  package var model: CausalTrainingModel { stack.model }
  package var gradients: FloatBuffer {
    get { stack.gradients }
    set { stack.gradients = newValue }
  }
  package var didSettle: (@Sendable (Int) -> Void)? {
    get { stack.didSettle }
    set { stack.didSettle = newValue }
  }

  private let stack: CausalStack
  private let loss: VocabularyLoss
  private let logits: FloatBuffer  // [chunk rows][vocabulary]
  private let rotary: RotaryLayer
  private let positions: [Int32]  // [rows]
  private let visible: [Int32]  // [length]: 1, 2, 3 …

  /// Makes the buffers of a pass over up to `sequences` sequences of `length` tokens.
  package init(model: CausalTrainingModel, sequences: Int, length: Int, rotary: RotaryLayer) {
    precondition(rotary.positions >= length, "rotary tables cover the sequence")
    self.sequences = sequences
    self.length = length
    self.rotary = rotary
    let rows = sequences * length
    stack = CausalStack(
      model, rows: rows, columns: length,
      probabilities: model.layers[0].attention.probabilityCount(
        sequences: sequences, length: length))
    loss = VocabularyLoss(head: model.embedding)
    logits = FloatBuffer(count: loss.scratchCount)
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
    withRows(count) { rows in
      forward(inputs, rows)
      let scratch = stack.scratch
      let sum = loss.forwardBackward(
        model.parameters.base, gradients: gradients.base, rows: rows.count, x: stack.output.base,
        targets: targets, scale: scale, logits: logits.base, dX: scratch.normed.base)
      stack.backward(inputs, rows: rows) { layer, state in
        layer.attention.backward(
          layer.causalRows(state, sequences: count, length: length), dOutput: scratch.attended.base,
          d: scratch.queryKeyValue.base, scratch: scratch.scores.base, dots: scratch.dots.base)
      }
      return sum
    }
  }

  package func loss(
    inputs: UnsafePointer<Token>, targets: UnsafePointer<Token>, count: Int
  ) -> Double {
    withRows(count) { rows in
      forward(inputs, rows)
      return loss.loss(
        model.parameters.base, rows: rows.count, x: stack.output.base, targets: targets,
        logits: logits.base)
    }
  }

  private func forward(_ inputs: UnsafePointer<Token>, _ rows: TrainableLayer.Rows) {
    stack.forward(inputs, rows: rows) { layer, state in
      layer.attention.forward(
        layer.causalRows(state, sequences: rows.count / length, length: length), visible: visible)
    }
  }

  private func withRows<R>(_ count: Int, _ body: (TrainableLayer.Rows) -> R) -> R {
    precondition(count >= 1 && count <= sequences, "a pass takes 1 to \(sequences) sequences")
    return positions.withBase {
      body(TrainableLayer.Rows(count: count * length, positions: $0, rotary: rotary))
    }
  }
}
