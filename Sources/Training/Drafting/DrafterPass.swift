import Drafter
public import Tensors

/// One worker's forward and backward pass over the blocks of one sequence at a time.
///
/// A pass is used by one thread at a time and keeps its own gradients.
public final class DrafterPass: @unchecked Sendable {
  // Unchecked: the recipe gives each worker its own pass.

  /// The drafter whose parameters are read.
  public let model: DrafterTrainingModel
  /// The sum of gradients since `clearGradients`, in the model's layout.
  public let gradients: FloatBuffer
  /// The most blocks of a sequence.
  public let maximumBlocks: Int
  /// The most positions of a sequence's context.
  public let maximumContext: Int

  private let states: [DecoderLayerState]  // of block rows
  private let contexts: [ContextState]
  private let scratch: DecoderLayerScratch
  private let fused: FloatBuffer  // [context][hidden]
  private let context: FloatBuffer  // [context][hidden], normed: what layers project
  private let contextInverse: FloatBuffer  // [context]
  private let dContext: FloatBuffer  // [context][hidden]
  private let dKeyValue: FloatBuffer  // [context][k, v]
  private let last: FloatBuffer  // [rows][hidden], the stream after the last layer
  private let drafted: FloatBuffer  // [blocks · (blockSize − 1)][hidden], normed
  private let draftedInverse: FloatBuffer  // [blocks · (blockSize − 1)]
  private let dDrafted: FloatBuffer  // as drafted
  private let targetStates: FloatBuffer?  // as drafted: what chose each row's token
  private let d: FloatBuffer  // [rows][hidden], the stream's gradient
  private let lossScratch: DraftLoss.Scratch
  private let rotary: RotaryLayer
  private let contextPositions: [Int32]  // 0, 1, 2 …
  private let columns: Int

  /// Makes the buffers of a pass.
  ///
  /// - Parameter rotary: Covers `maximumContext + blockSize` positions.
  public init(
    model: DrafterTrainingModel, maximumBlocks: Int, maximumContext: Int, rotary: RotaryLayer
  ) {
    let blockSize = model.configuration.blockSize
    let hidden = model.hidden
    let rows = maximumBlocks * blockSize
    precondition(rotary.positions >= maximumContext + blockSize, "rotary tables cover all rows")
    MatrixProduct.useOneThread()
    self.model = model
    self.maximumBlocks = maximumBlocks
    self.maximumContext = maximumContext
    self.rotary = rotary
    let columns = blockSize + maximumContext
    self.columns = columns
    gradients = FloatBuffer(count: model.layout.count)
    let probabilities = model.configuration.shape.heads * rows * columns
    states = model.layers.map {
      DecoderLayerState($0, rows: rows, probabilities: probabilities)
    }
    contexts = model.layers.map { ContextState($0, positions: maximumContext) }
    scratch = DecoderLayerScratch(
      model.layers[0], rows: rows, columns: columns,
      tileRows: max(CausalAttention.tileRows, blockSize))
    fused = FloatBuffer(count: maximumContext * hidden)
    context = FloatBuffer(count: maximumContext * hidden)
    contextInverse = FloatBuffer(count: maximumContext)
    dContext = FloatBuffer(count: maximumContext * hidden)
    dKeyValue = FloatBuffer(count: maximumContext * 2 * model.layers[0].keyWidth)
    last = FloatBuffer(count: rows * hidden)
    drafted = FloatBuffer(count: rows * hidden)
    draftedInverse = FloatBuffer(count: rows)
    dDrafted = FloatBuffer(count: rows * hidden)
    targetStates = model.objective.needsDistribution ? FloatBuffer(count: rows * hidden) : nil
    d = FloatBuffer(count: rows * hidden)
    lossScratch = DraftLoss.Scratch(model.loss)
    contextPositions = (0..<Int32(maximumContext)).map { $0 }
  }

  /// Sets the gradients to zero.
  public func clearGradients() {
    gradients.base.update(repeating: 0, count: gradients.count)
  }

  /// Adds the gradients of `scale` × the weighted losses' sum; returns that sum.
  ///
  /// - Parameters:
  ///   - example: At most `maximumBlocks` blocks.
  ///   - features: The target's, of every position before the last anchor; of every position but
  ///     the sequence's last where the objective needs distributions.
  package func forwardBackward(
    _ example: DraftExample, features: SequenceFeatures, scale: Float
  ) -> Double {
    withBatch(example, features) { batch in
      forward(batch)
      let loss = withLossRows(batch) { rows in
        model.loss.forwardBackward(
          model.parameters.base, gradients: gradients.base, rows: rows, scale: scale,
          scratch: lossScratch, dX: dDrafted.base)
      }
      backward(batch)
      return loss
    }
  }

  /// Returns the weighted losses' sum without touching the gradients.
  package func loss(_ example: DraftExample, features: SequenceFeatures) -> Double {
    withBatch(example, features) { batch in
      forward(batch)
      return withLossRows(batch) {
        model.loss.loss(model.parameters.base, rows: $0, scratch: lossScratch)
      }
    }
  }

  /// The logits of every drafted row, [blocks · (blockSize − 1)][choices]: for tests.
  package func logits(_ example: DraftExample, features: SequenceFeatures) -> [Float] {
    withBatch(example, features) { batch in
      forward(batch)
      return withLossRows(batch) { rows in
        let loss = model.loss
        var all: [Float] = []
        loss.forEachChunk(model.parameters.base, rows, lossScratch) { _, count in
          all += UnsafeBufferPointer(
            start: lossScratch.logits.base, count: count * loss.choices)
        }
        return all
      }
    }
  }

  /// What is fixed during a pass.
  private struct Batch {
    var example: DraftExample
    var features: SequenceFeatures
    var prefixes: UnsafeBufferPointer<Int32>
    var visible: UnsafePointer<Int32>
    var rows: DecoderLayerShape.Rows
    var context: DecoderLayerShape.Rows
  }

  private func withBatch<R>(
    _ example: DraftExample, _ features: SequenceFeatures, _ body: (Batch) -> R
  ) -> R {
    let blockSize = example.blockSize
    let contextCount = Int(example.anchors.last ?? 0)
    precondition(
      !example.anchors.isEmpty && example.anchors.count <= maximumBlocks
        && contextCount <= maximumContext && blockSize <= model.configuration.blockSize,
      "the pass has room for the blocks and their context")
    let positions = example.anchors.flatMap { anchor in (0..<Int32(blockSize)).map { anchor + $0 } }
    let visible = example.anchors.flatMap { anchor in
      repeatElement(Int32(blockSize) + anchor, count: blockSize)
    }
    return example.anchors.withUnsafeBufferPointer { prefixes in
      positions.withUnsafeBufferPointer { positions in
        visible.withUnsafeBufferPointer { visible in
          contextPositions.withUnsafeBufferPointer { contextPositions in
            guard let rows = positions.baseAddress, let visible = visible.baseAddress,
              let places = contextPositions.baseAddress
            else { preconditionFailure("a pass has at least one row") }
            return body(
              Batch(
                example: example, features: features, prefixes: prefixes, visible: visible,
                rows: DecoderLayerShape.Rows(
                  count: positions.count, positions: rows, rotary: rotary),
                context: DecoderLayerShape.Rows(
                  count: contextCount, positions: places, rotary: rotary)))
          }
        }
      }
    }
  }

  private func withLossRows<R>(_ batch: Batch, _ body: (DraftLoss.Rows) -> R) -> R {
    let example = batch.example
    gatherStates(batch)
    return example.previous.withUnsafeBufferPointer { previous in
      example.targets.withUnsafeBufferPointer { targets in
        example.weights.withUnsafeBufferPointer { weights in
          guard let previous = previous.baseAddress, let targets = targets.baseAddress,
            let weights = weights.baseAddress
          else { preconditionFailure("a block drafts at least one row") }
          return body(
            DraftLoss.Rows(
              count: example.targets.count, blockRows: example.blockSize - 1, x: drafted.base,
              previous: previous, targets: targets, weights: weights,
              states: targetStates.map { UnsafePointer($0.base) }))
        }
      }
    }
  }

  /// Lines up the target's states with the drafted rows: that of the position before a row's token.
  private func gatherStates(_ batch: Batch) {
    guard let targetStates else { return }
    guard let states = batch.features.states else {
      preconditionFailure("the objective needs the target's states")
    }
    let (hidden, drafts) = (model.hidden, batch.example.blockSize - 1)
    for (row, target) in batch.example.targets.enumerated() where target >= 0 {
      let position = Int(batch.example.anchors[row / drafts]) + row % drafts
      (targetStates.base + row * hidden).update(
        from: states.base + position * hidden, count: hidden)
    }
  }

  private func forward(_ batch: Batch) {
    let parameters = UnsafePointer(model.parameters.base)
    let configuration = model.configuration
    let hidden = model.hidden
    if batch.context.count > 0 {
      model.fuse.forward(
        parameters, rows: batch.context.count, x: batch.features.taps.base, y: fused.base)
      model.contextNorm.forward(
        parameters, rows: batch.context.count, x: fused.base, xStride: hidden, y: context.base,
        yStride: hidden, inverse: contextInverse.base)
    }
    let input = states[0].input.base
    for row in 0..<batch.rows.count {
      let (block, place) = row.quotientAndRemainder(dividingBy: batch.example.blockSize)
      model.target.embedding.copy(
        place == 0 ? batch.example.anchorTokens[block] : configuration.maskToken,
        to: input + row * hidden)
    }
    for (index, layer) in model.layers.enumerated() {
      let state = states[index]
      if batch.context.count > 0 {
        contexts[index].forward(layer, parameters, context: context.base, rows: batch.context)
      }
      layer.forwardProjections(parameters, state: state, rows: batch.rows)
      attention(batch).forward(attentionRows(index, batch))
      let next = index + 1 < states.count ? states[index + 1].input : last
      layer.forwardOutput(parameters, state: state, rows: batch.rows.count, next: next.base)
    }
    forEachBlock(batch) { row, draft, count in
      model.finalNorm.forward(
        parameters, rows: count, x: last.base + row * hidden, xStride: hidden,
        y: drafted.base + draft * hidden, yStride: hidden, inverse: draftedInverse.base + draft)
    }
  }

  private func backward(_ batch: Batch) {
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.hidden
    d.base.update(repeating: 0, count: batch.rows.count * hidden)  // anchor rows draft nothing
    forEachBlock(batch) { row, draft, count in
      (d.base + row * hidden).update(from: dDrafted.base + draft * hidden, count: count * hidden)
      model.finalNorm.backward(
        parameters, gradients: gradients.base, rows: count, x: last.base + row * hidden,
        xStride: hidden, inverse: draftedInverse.base + draft, dY: d.base + row * hidden,
        dX: d.base + row * hidden, dStride: hidden)
    }
    let contextCount = batch.context.count
    for (index, layer) in model.layers.enumerated().reversed() {
      let state = states[index]
      layer.backwardOutput(
        parameters, gradients: gradients.base, state: state, scratch: scratch,
        rows: batch.rows.count, d: d.base)
      dKeyValue.base.update(repeating: 0, count: contextCount * 2 * layer.keyWidth)
      attention(batch).backward(
        attentionRows(index, batch), dOutput: scratch.attended.base,
        d: scratch.queryKeyValue.base, dContext: dKeyValue.base, scratch: scratch.scores.base,
        dots: scratch.dots.base)
      layer.backwardProjections(
        parameters, gradients: gradients.base, state: state, scratch: scratch, rows: batch.rows,
        d: d.base)
      if contextCount > 0 {
        contexts[index].backward(
          layer, parameters, gradients: gradients.base, context: context.base,
          rows: batch.context, d: dKeyValue.base, dContext: dContext.base,
          accumulate: index + 1 < model.layers.count)
      }
    }
    guard contextCount > 0 else { return }
    model.contextNorm.backward(
      parameters, gradients: gradients.base, rows: contextCount, x: fused.base, xStride: hidden,
      inverse: contextInverse.base, dY: dContext.base, dX: dContext.base, dStride: hidden)
    model.fuse.backward(
      parameters, gradients: gradients.base, rows: contextCount, x: batch.features.taps.base,
      dY: dContext.base, dX: nil)
  }

  /// Calls `body` with the first drafted row of each block, in all rows and among drafted ones.
  private func forEachBlock(
    _ batch: Batch, _ body: (_ row: Int, _ draft: Int, _ count: Int) -> Void
  ) {
    let blockSize = batch.example.blockSize
    for block in 0..<batch.prefixes.count {
      body(block * blockSize + 1, block * (blockSize - 1), blockSize - 1)
    }
  }

  private func attention(_ batch: Batch) -> BlockAttention {
    let shape = model.configuration.shape
    return BlockAttention(
      heads: shape.heads, keyValueHeads: shape.keyValueHeads, width: shape.headDimension,
      blockSize: batch.example.blockSize)
  }

  private func attentionRows(_ index: Int, _ batch: Batch) -> BlockAttention.Rows {
    let (layer, state) = (model.layers[index], states[index])
    return BlockAttention.Rows(
      prefixes: batch.prefixes, visible: batch.visible, queriesKeys: state.queryKey.base,
      queryKeyStride: layer.queryKeyWidth,
      values: state.queryKeyValue.base + layer.queryKeyWidth,
      valueStride: layer.queryKeyValueWidth, contextKeys: contexts[index].keys.base,
      contextValues: contexts[index].keyValue.base + layer.keyWidth,
      contextValueStride: 2 * layer.keyWidth, probabilities: state.probabilities.base,
      columns: columns, output: state.attended.base)
  }
}
