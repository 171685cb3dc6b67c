import Drafter
package import Tensors

/// One worker's forward and backward pass over the blocks of one sequence at a time.
///
/// The rows of a pass are the blocks', one after another, and behind them, for a drafter that sees tokens,
/// those of the context, which go through the same layers causally. The layers are in
/// `DrafterPass+Layers.swift`. A pass is used by one thread at a time and keeps its own gradients.
package final class DrafterPass: GradientPass, @unchecked Sendable {
  // Unchecked: the recipe gives each worker its own pass.

  package let model: DrafterTrainingModel
  package var gradients: FloatBuffer
  package var didSettle: (@Sendable (Int) -> Void)?
  package let maximumBlocks: Int
  package let maximumContext: Int

  let states: [TrainableLayerState]  // of all rows
  let context: FeatureContext?  // nil for a drafter that sees tokens
  let scratch: TrainableLayerScratch
  let last: FloatBuffer  // [block rows][hidden], the stream after the last layer
  let drafted: FloatBuffer  // [drafts][hidden], normed
  let draftedInverse: FloatBuffer  // [drafts]
  let dDrafted: FloatBuffer  // as drafted
  let d: FloatBuffer  // [rows][hidden], the stream's gradient
  /// Columns of a row's attention probabilities: a block's keys and those of the longest context.
  let columns: Int
  /// Where the context's attention probabilities start among a state's.
  let contextProbabilities: Int
  private let targetStates: FloatBuffer?  // [drafts][target's width]
  private let lossScratch: DraftLoss.Scratch
  private let rotary: RotaryLayer
  private let contextPositions: [Int32]  // 0, 1, 2 …
  private let contextVisible: [Int32]  // 1, 2, 3 …

  /// Makes the buffers of a pass.
  ///
  /// - Parameter rotary: Covers `maximumContext + blockSize` positions.
  package init(
    model: DrafterTrainingModel, maximumBlocks: Int, maximumContext: Int, rotary: RotaryLayer
  ) {
    let blockSize = model.configuration.blockSize
    let hidden = model.hidden
    let blockRows = maximumBlocks * blockSize
    precondition(rotary.positions >= maximumContext + blockSize, "rotary tables cover all rows")
    MatrixProduct.useOneThread()
    self.model = model
    self.maximumBlocks = maximumBlocks
    self.maximumContext = maximumContext
    self.rotary = rotary
    let columns = blockSize + maximumContext
    self.columns = columns
    gradients = FloatBuffer(count: model.layout.count)
    let heads = model.configuration.shape.heads
    contextProbabilities = heads * blockRows * columns
    var (rows, probabilities) = (blockRows, contextProbabilities)
    if let fusion = model.fusion {
      context = FeatureContext(fusion, layers: model.layers, positions: maximumContext)
    } else {
      context = nil
      rows += maximumContext
      probabilities += model.layers[0].attention.probabilityCount(
        sequences: 1, length: maximumContext)
    }
    states = model.layers.map { [rows, probabilities] in
      TrainableLayerState($0, rows: rows, probabilities: probabilities)
    }
    scratch = TrainableLayerScratch(
      model.layers[0], rows: rows, columns: columns,
      tileRows: max(CausalAttention.tileRows, blockSize))
    last = FloatBuffer(count: blockRows * hidden)
    drafted = FloatBuffer(count: blockRows * hidden)
    draftedInverse = FloatBuffer(count: blockRows)
    dDrafted = FloatBuffer(count: blockRows * hidden)
    targetStates =
      model.needsDistribution ? FloatBuffer(count: blockRows * model.target.embedding.width) : nil
    d = FloatBuffer(count: rows * hidden)
    lossScratch = DraftLoss.Scratch(model.loss)
    contextPositions = (0..<Int32(maximumContext)).map { $0 }
    contextVisible = contextPositions.map { $0 + 1 }
  }

  /// Adds the gradients of `scale` × the weighted losses' sum; returns that sum.
  ///
  /// - Parameters:
  ///   - example: At most `maximumBlocks` blocks.
  ///   - features: The target's, of every position before the last anchor; of every position but
  ///     the sequence's last where the objective needs distributions. Taps are empty for a drafter that
  ///     sees tokens.
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
    withDrafted(example, features) {
      model.loss.loss(model.parameters.base, rows: $0, scratch: lossScratch)
    }
  }

  /// The logits of every draft, [blocks · drafts][choices]: for tests.
  package func logits(_ example: DraftExample, features: SequenceFeatures) -> [Float] {
    collect(example, features) { chunk in
      Array(UnsafeBufferPointer(start: chunk.logits, count: chunk.count * chunk.choices))
    }
  }

  /// The confidence of every draft, [blocks · drafts]; empty without a head that has one: for
  /// tests.
  package func confidences(_ example: DraftExample, features: SequenceFeatures) -> [Float] {
    collect(example, features) { chunk in
      lossScratch.heads.flatMap { $0.confidences(model.parameters.base, chunk) }
    }
  }

  private func collect(
    _ example: DraftExample, _ features: SequenceFeatures, _ values: (DraftChunk) -> [Float]
  ) -> [Float] {
    withDrafted(example, features) { rows in
      var all: [Float] = []
      model.loss.forEachChunk(model.parameters.base, rows, lossScratch) { all += values($1) }
      return all
    }
  }

  private func withDrafted<R>(
    _ example: DraftExample, _ features: SequenceFeatures, _ body: (DraftLoss.Rows) -> R
  ) -> R {
    withBatch(example, features) { batch in
      forward(batch)
      return withLossRows(batch, body)
    }
  }

  /// What is fixed during a pass.
  struct Batch {
    var example: DraftExample
    var features: SequenceFeatures
    var prefixes: UnsafeBufferPointer<Int32>
    var visible: UnsafePointer<Int32>
    /// Rows of the blocks, which come first.
    var blockRows: Int
    /// All rows that go through the layers.
    var rows: TrainableLayer.Rows
    var context: TrainableLayer.Rows
    /// How much of the context each of its positions sees: [context].
    var contextVisible: UnsafePointer<Int32>

    /// The context's rows that go through the layers: all, or none.
    var contextRows: Int { rows.count - blockRows }
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
    var positions = example.anchors.flatMap { anchor in (0..<Int32(blockSize)).map { anchor + $0 } }
    let blockRows = positions.count
    if context == nil { positions += contextPositions[..<contextCount] }
    let rowCount = positions.count
    let visible = example.anchors.flatMap { anchor in
      repeatElement(Int32(blockSize) + anchor, count: blockSize)
    }
    return withBases(positions, visible, contextPositions) { positions, visible, places in
      contextVisible.withBase { contextVisible in
        example.anchors.withUnsafeBufferPointer { prefixes in
          body(
            Batch(
              example: example, features: features, prefixes: prefixes, visible: visible,
              blockRows: blockRows,
              rows: TrainableLayer.Rows(count: rowCount, positions: positions, rotary: rotary),
              context: TrainableLayer.Rows(count: contextCount, positions: places, rotary: rotary),
              contextVisible: contextVisible))
        }
      }
    }
  }

  private func withLossRows<R>(_ batch: Batch, _ body: (DraftLoss.Rows) -> R) -> R {
    let example = batch.example
    gatherStates(batch)
    return withBases(example.previous, example.targets, example.weights) {
      body(
        DraftLoss.Rows(
          count: example.targets.count, blockRows: example.drafts, x: drafted.base,
          previous: $0, targets: $1, weights: $2,
          states: targetStates.map { UnsafePointer($0.base) }))
    }
  }

  /// Lines up the target's states with the drafted rows: that of the position before a row's token.
  private func gatherStates(_ batch: Batch) {
    guard let targetStates else { return }
    guard let states = batch.features.states else {
      preconditionFailure("the objective needs the target's states")
    }
    let (width, drafts) = (model.target.embedding.width, batch.example.drafts)
    for (row, target) in batch.example.targets.enumerated() where target >= 0 {
      let position = Int(batch.example.anchors[row / drafts]) + row % drafts
      (targetStates.base + row * width).update(from: states.base + position * width, count: width)
    }
  }
}
