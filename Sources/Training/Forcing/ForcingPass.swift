import Files
package import Tensors

/// What forcing optimises: λ · cross-entropy of the clean rows + soft cross-entropy of the noisy ones.
package struct ForcingObjective: Sendable, Equatable {
  /// The factor λ of the clean rows' cross-entropy to the response's tokens.
  package var clean: Float
  /// The factor of KL(p ‖ q) of all clean rows, the prompt's included, from the distribution p of the
  /// model that training began with. It keeps a model from growing surer of its own text.
  package var divergence: Float

  /// An objective; the published one has λ = 10 and no divergence.
  package init(clean: Float = 10, divergence: Float = 0) {
    self.clean = clean
    self.divergence = divergence
  }
}

/// The sums of the losses of some rows, and how many rows they are of.
package struct ForcingLosses: Sendable, Equatable {
  /// Cross-entropy of clean rows of responses.
  package var clean = 0.0
  /// KL(p ‖ q) of clean rows.
  package var divergence = 0.0
  /// Soft cross-entropy of noisy rows, by their weights.
  package var noisy = 0.0

  package init() {}

  package static func += (sum: inout ForcingLosses, other: ForcingLosses) {
    sum.clean += other.clean
    sum.divergence += other.divergence
    sum.noisy += other.noisy
  }
}

/// One worker's forward and backward pass over one packed response, with its own gradients.
///
/// The layers are those of ``CausalPass``; the rows of a sequence and their attention are other ones.
package final class ForcingPass: GradientPass, @unchecked Sendable {
  // Unchecked: the recipe gives each worker its own pass.

  package var gradients: FloatBuffer {
    get { stack.gradients }
    set { stack.gradients = newValue }
  }
  package var didSettle: (@Sendable (Int) -> Void)? {
    get { stack.didSettle }
    set { stack.didSettle = newValue }
  }

  private let stack: CausalStack
  private let maximumTokens: Int
  private let copies: Int
  private let trainsEmbedding: Bool
  private let firstHead: FloatBuffer?  // [vocabulary][hidden]
  private let loss: ForcingLoss
  private let lossScratch: ForcingLoss.Scratch
  private let rotary: RotaryLayer
  private let visible: [Int32]  // [the most keys of a row]: 1, 2, 3 …

  /// Makes the buffers of a pass.
  ///
  /// - Parameters:
  ///   - maximumTokens: Tokens of the longest response, its prompt included.
  ///   - copies: Copies of noisy rows, at most.
  ///   - firstHead: The head of the model that training began with, if its distributions are kept:
  ///     [vocabulary][hidden].
  package init(
    model: CausalTrainingModel, maximumTokens: Int, copies: Int, trainsEmbedding: Bool,
    firstHead: FloatBuffer?, rotary: RotaryLayer
  ) {
    precondition(rotary.positions >= maximumTokens, "rotary tables cover the response")
    self.maximumTokens = maximumTokens
    self.copies = copies
    self.trainsEmbedding = trainsEmbedding
    self.firstHead = firstHead
    self.rotary = rotary
    loss = ForcingLoss(head: model.embedding, trainsHead: trainsEmbedding)
    lossScratch = ForcingLoss.Scratch(
      vocabulary: model.architecture.vocabularySize, keepsTarget: firstHead != nil)
    stack = CausalStack(
      model, rows: (1 + copies) * maximumTokens, columns: maximumTokens,
      probabilities: ForcingAttention(causal: model.layers[0].attention)
        .probabilityCount(clean: maximumTokens, copies: copies))
    visible = (0..<maximumTokens).map { Int32($0 + 1) }
  }

  /// Adds the gradients of a packed response; returns its losses, without factors.
  ///
  /// - Parameters:
  ///   - states: What the first model's head takes, of all clean rows: [clean][hidden]; needed where
  ///     its distributions are kept.
  ///   - cleanScale: Multiplies the clean rows' gradients: 1 / (those rows of the whole batch).
  package func forwardBackward(
    _ example: ForcingExample, objective: ForcingObjective, states first: FloatBuffer?,
    cleanScale: Float, noisyScale: Float
  ) -> ForcingLosses {
    precondition(
      example.tokens.count <= maximumTokens && !example.noisy.isEmpty
        && example.noisy.count <= copies * example.copyCount, "the pass has room for the response")
    precondition((firstHead == nil) == (first == nil), "a kept distribution has states and a head")
    return withRows(example) { rows, inputs in
      forward(inputs, example, rows)
      let scratch = stack.scratch
      let losses = loss.forwardBackward(
        stack.model.parameters.base, gradients: gradients.base,
        rows: ForcingLoss.Rows(
          example: example, x: stack.output.base, states: first.map { UnsafePointer($0.base) },
          firstHead: firstHead.map { UnsafePointer($0.base) }),
        factors: ForcingLoss.Factors(
          clean: objective.clean * cleanScale, divergence: objective.divergence * cleanScale,
          noisy: noisyScale), scratch: lossScratch, dX: scratch.normed.base)
      stack.backward(trainsEmbedding ? inputs : nil, rows: rows) { layer, state in
        withAttention(layer, state, example) { attention, rows in
          attention.backward(
            rows, dOutput: scratch.attended.base, d: scratch.queryKeyValue.base,
            scratch: scratch.scores.base, dots: scratch.dots.base)
        }
      }
      return losses
    }
  }

  /// The logits of every row, clean ones first: [clean + noisy][vocabulary]. For tests.
  package func logits(_ example: ForcingExample) -> [Float] {
    withRows(example) { rows, inputs in
      forward(inputs, example, rows)
      let model = stack.model
      let vocabulary = model.architecture.vocabularySize
      return [Float](unsafeUninitializedCapacity: rows.count * vocabulary) { buffer, count in
        guard let base = buffer.baseAddress else { return }
        model.embedding.forward(
          model.parameters.base, rows: rows.count, x: stack.output.base, y: base)
        count = rows.count * vocabulary
      }
    }
  }

  private func forward(
    _ inputs: UnsafePointer<Token>, _ example: ForcingExample, _ rows: TrainableLayer.Rows
  ) {
    stack.forward(inputs, rows: rows) { layer, state in
      withAttention(layer, state, example) { $0.forward($1) }
    }
  }

  private func withAttention(
    _ layer: TrainableLayer, _ state: TrainableLayerState, _ example: ForcingExample,
    _ body: (ForcingAttention, ForcingAttention.Rows) -> Void
  ) {
    visible.withBase { visible in
      body(
        ForcingAttention(causal: layer.attention),
        ForcingAttention.Rows(
          clean: layer.causalRows(state, sequences: 1, length: example.cleanCount),
          promptLength: example.promptLength, copyCount: example.copyCount,
          windows: example.windows, visible: visible))
    }
  }

  /// Lends the positions and the inputs of all rows.
  private func withRows<R>(
    _ example: ForcingExample, _ body: (TrainableLayer.Rows, UnsafePointer<Token>) -> R
  ) -> R {
    let inputs = example.tokens.dropLast() + example.noisy
    let positions =
      (0..<example.cleanCount).map { Int32($0) }
      + example.noisy.indices.map { Int32(example.promptLength + $0 % example.copyCount) }
    return positions.withBase { places in
      inputs.withBase {
        body(TrainableLayer.Rows(count: positions.count, positions: places, rotary: rotary), $0)
      }
    }
  }
}
