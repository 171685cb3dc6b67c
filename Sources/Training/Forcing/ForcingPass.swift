import CKernels
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

  /// No rows.
  package init() {}

  /// Adds the losses of other rows.
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

  /// The sum of gradients since `clearGradients`, in the model's layout.
  package let gradients: FloatBuffer

  private let model: CausalTrainingModel
  private let maximumTokens: Int
  private let copies: Int
  private let trainsEmbedding: Bool
  private let firstHead: FloatBuffer?  // [vocabulary][hidden]
  private let loss: ForcingLoss
  private let lossScratch: ForcingLoss.Scratch
  private let states: [TrainableLayerState]
  private let scratch: TrainableLayerScratch
  private let last: FloatBuffer  // [rows][hidden], the stream after the last layer
  private let lastNormed: FloatBuffer  // [rows][hidden]
  private let lastInverse: FloatBuffer  // [rows]
  private let d: FloatBuffer  // [rows][hidden], the stream's gradient
  private let rotary: RotaryLayer
  private let visible: [Int32]  // [the most keys of a row]: 1, 2, 3 …

  /// Makes the buffers of a pass.
  ///
  /// - Parameters:
  ///   - maximumTokens: Tokens of the longest response, its prompt included.
  ///   - copies: Copies of noisy rows, at most.
  ///   - trainsEmbedding: Whether the embedding, which is the head too, gets gradients.
  ///   - firstHead: The head of the model that training began with, if its distributions are kept:
  ///     [vocabulary][hidden].
  package init(
    model: CausalTrainingModel, maximumTokens: Int, copies: Int, trainsEmbedding: Bool,
    firstHead: FloatBuffer?, rotary: RotaryLayer
  ) {
    precondition(rotary.positions >= maximumTokens, "rotary tables cover the response")
    MatrixProduct.useOneThread()
    self.model = model
    self.maximumTokens = maximumTokens
    self.copies = copies
    self.trainsEmbedding = trainsEmbedding
    self.firstHead = firstHead
    self.rotary = rotary
    loss = ForcingLoss(head: model.embedding, trainsHead: trainsEmbedding)
    lossScratch = ForcingLoss.Scratch(
      vocabulary: model.architecture.vocabularySize, keepsTarget: firstHead != nil)
    let rows = (1 + copies) * maximumTokens
    let hidden = model.architecture.hiddenSize
    let shape = model.layers[0]
    let attention = ForcingAttention(causal: shape.attention)
    gradients = FloatBuffer(count: model.layout.count)
    states = model.layers.map {
      TrainableLayerState(
        $0, rows: rows,
        probabilities: attention.probabilityCount(clean: maximumTokens, copies: copies))
    }
    scratch = TrainableLayerScratch(shape, rows: rows, columns: maximumTokens)
    last = FloatBuffer(count: rows * hidden)
    lastNormed = FloatBuffer(count: rows * hidden)
    lastInverse = FloatBuffer(count: rows)
    d = FloatBuffer(count: rows * hidden)
    visible = (0..<maximumTokens).map { Int32($0 + 1) }
  }

  /// Adds the gradients of a packed response; returns its losses, without factors.
  ///
  /// - Parameters:
  ///   - objective: The factors of the clean rows' losses.
  ///   - states: What the first model's head takes, of all clean rows: [clean][hidden]; needed where
  ///     its distributions are kept.
  ///   - cleanScale: Multiplies the clean rows' gradients: 1 / (those rows of the whole batch).
  ///   - noisyScale: Multiplies the noisy rows' gradients.
  package func forwardBackward(
    _ example: ForcingExample, objective: ForcingObjective, states first: FloatBuffer?,
    cleanScale: Float, noisyScale: Float
  ) -> ForcingLosses {
    precondition(
      example.tokens.count <= maximumTokens && !example.noisy.isEmpty
        && example.noisy.count <= copies * example.copyCount,
      "the pass has room for the response")
    precondition((firstHead == nil) == (first == nil), "a kept distribution has states and a head")
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.architecture.hiddenSize
    return withRows(example) { places, inputs in
      forward(inputs, example, places)
      let losses = loss.forwardBackward(
        parameters, gradients: gradients.base,
        rows: ForcingLoss.Rows(
          example: example, x: lastNormed.base, states: first.map { UnsafePointer($0.base) },
          firstHead: firstHead.map { UnsafePointer($0.base) }),
        factors: ForcingLoss.Factors(
          clean: objective.clean * cleanScale, divergence: objective.divergence * cleanScale,
          noisy: noisyScale),
        scratch: lossScratch, dX: scratch.normed.base)
      model.finalNorm.backward(
        parameters, gradients: gradients.base, rows: places.count, x: last.base, xStride: hidden,
        inverse: lastInverse.base, dY: scratch.normed.base, dX: d.base, dStride: hidden)
      for index in model.layers.indices.reversed() {
        backward(index, example, places)
      }
      if trainsEmbedding {
        let table = gradients.base + model.embedding.offset
        for row in 0..<places.count {
          ct_add(hidden, d.base + row * hidden, table + Int(inputs[row]) * hidden)
        }
      }
      return losses
    }
  }

  /// The logits of every row, clean ones first: [clean + noisy][vocabulary]. For tests.
  package func logits(_ example: ForcingExample) -> [Float] {
    withRows(example) { places, inputs in
      forward(inputs, example, places)
      let vocabulary = model.architecture.vocabularySize
      return [Float](unsafeUninitializedCapacity: places.count * vocabulary) { buffer, count in
        guard let base = buffer.baseAddress else { return }
        model.embedding.forward(
          model.parameters.base, rows: places.count, x: lastNormed.base, y: base)
        count = places.count * vocabulary
      }
    }
  }

  private func forward(
    _ inputs: UnsafePointer<Token>, _ example: ForcingExample, _ places: TrainableLayer.Rows
  ) {
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.architecture.hiddenSize
    let table = parameters + model.embedding.offset
    for row in 0..<places.count {
      (states[0].input.base + row * hidden).update(
        from: table + Int(inputs[row]) * hidden, count: hidden)
    }
    for (index, layer) in model.layers.enumerated() {
      let next = index + 1 < states.count ? states[index + 1].input : last
      layer.forwardProjections(parameters, state: states[index], rows: places)
      withAttention(index, example) { $0.forward($1) }
      layer.forwardOutput(
        parameters, state: states[index], rows: places.count, next: next.base)
    }
    model.finalNorm.forward(
      parameters, rows: places.count, x: last.base, xStride: hidden, y: lastNormed.base,
      yStride: hidden, inverse: lastInverse.base)
  }

  private func backward(_ index: Int, _ example: ForcingExample, _ places: TrainableLayer.Rows) {
    let parameters = UnsafePointer(model.parameters.base)
    let (layer, state) = (model.layers[index], states[index])
    layer.backwardOutput(
      parameters, gradients: gradients.base, state: state, scratch: scratch, rows: places.count,
      d: d.base)
    withAttention(index, example) { attention, rows in
      attention.backward(
        rows, dOutput: scratch.attended.base, d: scratch.queryKeyValue.base,
        scratch: scratch.scores.base, dots: scratch.dots.base)
    }
    layer.backwardProjections(
      parameters, gradients: gradients.base, state: state, scratch: scratch, rows: places,
      d: d.base)
  }

  private func withAttention(
    _ index: Int, _ example: ForcingExample,
    _ body: (ForcingAttention, ForcingAttention.Rows) -> Void
  ) {
    let (layer, state) = (model.layers[index], states[index])
    visible.withUnsafeBufferPointer { visible in
      guard let visible = visible.baseAddress else {
        preconditionFailure("a pass has at least one row")
      }
      body(
        ForcingAttention(causal: layer.attention),
        ForcingAttention.Rows(
          cleanCount: example.cleanCount, promptLength: example.promptLength,
          copyCount: example.copyCount, windows: example.windows, visible: visible,
          queriesKeys: state.queryKey.base,
          queryKeyStride: layer.queryKeyWidth,
          values: state.queryKeyValue.base + layer.queryKeyWidth,
          valueStride: layer.queryKeyValueWidth, probabilities: state.probabilities.base,
          output: state.attended.base))
    }
  }

  /// Lends the positions and the inputs of all rows.
  private func withRows<R>(
    _ example: ForcingExample,
    _ body: (TrainableLayer.Rows, UnsafePointer<Token>) -> R
  ) -> R {
    let inputs = example.tokens.dropLast() + example.noisy
    let positions =
      (0..<example.cleanCount).map { Int32($0) }
      + example.noisy.indices.map { Int32(example.promptLength + $0 % example.copyCount) }
    return positions.withUnsafeBufferPointer { positions in
      inputs.withUnsafeBufferPointer { inputs in
        guard let places = positions.baseAddress, let tokens = inputs.baseAddress else {
          preconditionFailure("a pass has at least one row")
        }
        return body(
          TrainableLayer.Rows(count: positions.count, positions: places, rotary: rotary),
          tokens)
      }
    }
  }
}
