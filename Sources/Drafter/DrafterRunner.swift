package import Files
package import Tensors

/// Runs a drafter: the buffers of a pass, which sequences share.
///
/// A conditioned drafter projects each committed token's target features to keys and values once; one
/// that sees tokens runs each through its layers once, causally. A draft pass adds the rows of blocks
/// behind them, one block a sequence, and forgets these again.
package final class DrafterRunner {
  package let drafter: BlockDrafter

  let embedding: TokenEmbedding
  let head: PackedMatrix  // [choices][hidden]
  let workers: Workers
  let scratch: LayerScratch
  let plan: RowPlan
  private let features: ActivationRows  // [waitingRows][hidden]
  let maximumBlocks: Int
  /// Logits of a row, which are more than there are choices where the target's vocabulary is padded further
  /// than the drafter's.
  let columns: Int
  let logits: FloatBuffer  // [maximumBlocks · maximumDrafts][columns]
  let headRows: UnsafeMutableBufferPointer<Int>  // the pass's row of each row of logits
  let walk: BlockWalk
  private let rotary: RotaryTables
  /// Rows of the last pass as the layers left them, before heads: made when a block wants them.
  var untouched: FloatBuffer?  // [maximumBlocks · maximumDrafts + 1][columns]
  /// Features of several sequences, for one product: made when there are several.
  private var gathered: FloatBuffer?  // [waitingRows][taps · width]
  /// Is told what products of passes take, for analysis.
  package var observer: ((ProductInput) -> Void)?

  static let waitingRows = DrafterContext.waitingRows

  /// Makes the buffers of passes.
  ///
  /// - Parameters:
  ///   - embedding: The target's, for a drafter that has none.
  ///   - head: The target's, `[vocabulary][hidden]`; the draft vocabulary's rows are taken from it, again
  ///     for a drafter that has none.
  ///   - maximumBlocks: Blocks of one pass, at most; more take several passes.
  package init(
    drafter: BlockDrafter, embedding: TokenEmbedding, head: PackedMatrix, workers: Workers,
    maximumBlocks: Int = 1
  ) {
    let configuration = drafter.configuration
    let shape = configuration.shape
    precondition(
      (drafter.embedding != nil || embedding.width == shape.hidden)
        && (drafter.head != nil
          || head.columns == shape.hidden && head.rows >= configuration.vocabularySize),
      "embedding and head must be those of the drafter's target")
    self.embedding = drafter.embedding ?? embedding
    self.head =
      drafter.head
      ?? drafter.draftVocabulary.map {
        head.selecting(rows: $0.map(Int.init), format: drafter.format)
      } ?? head
    columns = self.head.rows
    self.drafter = drafter
    self.workers = workers
    self.maximumBlocks = maximumBlocks
    // Waiting tokens share the blocks' pass.
    let rows = Self.waitingRows + maximumBlocks * configuration.blockSize
    scratch = LayerScratch(
      layers: drafter.layers, head: self.head.format, maximumRows: rows, workers: workers.count)
    rotary = RotaryTables(layers: drafter.layers)
    plan = RowPlan(maximumRows: rows)
    features = ActivationRows(
      maximumRows: Self.waitingRows, width: shape.hidden,
      formats: Set(drafter.layers.flatMap(\.contextFormats)))
    let drafts = maximumBlocks * configuration.maximumDrafts
    logits = FloatBuffer(count: drafts * columns)
    headRows = .allocate(capacity: drafts)
    headRows.initialize(repeating: 0)
    walk = BlockWalk(
      drafter.heads,
      HeadRoom(
        // One more for a row that stands after another token.
        rows: drafts + 1, blocks: maximumBlocks, choices: columns, workers: workers),
      vocabulary: drafter.draftVocabulary)
  }

  /// The columns of logits that stand for tokens; models pad their vocabularies.
  package var choices: Int {
    get { walk.choices }
    set { walk.choices = min(newValue, columns) }
  }

  deinit { headRows.deallocate() }

  /// Makes the context of one sequence.
  ///
  /// - Parameters:
  ///   - capacity: Greatest number of committed positions.
  ///   - room: Positions to take memory for at once; nil for all.
  /// - Throws: `SpeculateError` when there is no memory for it.
  package func makeContext(capacity: Int, room: Int? = nil) throws -> DrafterContext {
    let configuration = drafter.configuration
    return DrafterContext(
      cache: try KeyValueCache(
        layers: drafter.layers, capacity: capacity + configuration.blockSize, room: room,
        rotary: rotary),
      featureWidth: drafter.fusion?.matrix.columns ?? 0,
      block: DenoisedBlock(
        capacity: configuration.maximumDrafts))
  }

  // MARK: Committed positions

  /// Takes the target's features of the next committed positions; a drafter that sees tokens wants none.
  ///
  /// - Parameters:
  ///   - taps: `[rows][targetLayers.count][hidden]`, as `CausalRunner.taps` holds them.
  ///   - rows: How many positions, from `context.count` on.
  package func append(_ taps: UnsafePointer<Float>, rows: Int, to context: DrafterContext) {
    guard let width = drafter.fusion?.matrix.columns else { return }
    var taken = 0
    while taken < rows {
      if context.featureRows == Self.waitingRows { project(context) }
      let count = min(rows - taken, Self.waitingRows - context.featureRows)
      (context.features.base + context.featureRows * width).update(
        from: taps + taken * width, count: count * width)
      context.featureRows += count
      taken += count
    }
  }

  /// Takes the committed tokens whose features weren't taken: all, for a drafter that sees tokens.
  ///
  /// They wait for the next draft and share its pass, because a pass costs what reading its weights costs,
  /// however few rows it has. Of many, only the last wait.
  package func append(_ tokens: ArraySlice<Token>, to context: DrafterContext) {
    precondition(
      drafter.fusion == nil || tokens.isEmpty, "features are committed for all but the anchor")
    for token in tokens {
      if context.tokens.count == Self.waitingRows { read(context) }
      context.tokens.append(token)
    }
  }

  func read(_ context: DrafterContext) {
    plan.reset()
    addWaiting(context)
    runLayers()
    settle(context)
  }

  /// Projects features that wait, so that the cache holds all positions that were given.
  package func settleFeatures(of context: DrafterContext) {
    if context.featureRows > 0 { project(context) }
  }

  private func project(_ context: DrafterContext) {
    plan.reset()
    addPositions(context)
    project(context.features.base, rows: plan.count)
  }

  /// Projects the waiting features of several contexts together.
  func project(_ blocks: [DrafterBlock]) {
    guard blocks.count > 1 else { return blocks.forEach { project($0.context) } }
    guard let width = drafter.fusion?.matrix.columns else { return }
    let rows = gathered ?? FloatBuffer(count: Self.waitingRows * width)
    gathered = rows
    plan.reset()
    for block in blocks {
      let context = block.context
      if plan.count + context.featureRows > Self.waitingRows {
        project(rows.base, rows: plan.count)
        plan.reset()
      }
      (rows.base + plan.count * width).update(
        from: context.features.base, count: context.featureRows * width)
      addPositions(context)
    }
    project(rows.base, rows: plan.count)
  }

  /// Adds the positions of waiting features to the pass that projects them.
  private func addPositions(_ context: DrafterContext) {
    let cache = context.cache
    for position in cache.count..<cache.count + context.featureRows {
      plan.append(cache: cache, position: position, visible: 0..<position + 1)
    }
    cache.advance(by: context.featureRows)
    context.featureRows = 0
  }

  /// Projects features to the keys and values of the plan's positions.
  private func project(_ taps: UnsafePointer<Float>, rows: Int) {
    guard rows > 0, let fusion = drafter.fusion else { return }
    let hidden = drafter.configuration.shape.hidden
    let epsilon = drafter.configuration.shape.normEpsilon
    let input = Taps(base: taps)
    let (features, workers) = (features, workers)
    workers.run { worker in
      fusion.matrix.multiply(
        input.base, stride: fusion.matrix.columns, into: features.values.base, stride: hidden,
        count: rows,
        panels: (0..<fusion.matrix.panelCount).share(of: worker, among: workers.count))
    }
    workers.run { worker in
      for row in (0..<rows).share(of: worker, among: workers.count) {
        let values = features.row(row)
        Kernels.rmsNorm(
          values, weight: fusion.norm.base, into: values, count: hidden, epsilon: epsilon)
        features.finish(row: row, columns: 0..<hidden)
      }
    }
    if let observer {
      let all = Array(0..<rows)
      observer(
        ProductInput(product: "fc", rows: all, width: fusion.matrix.columns, values: taps))
      observer(
        ProductInput(
          product: "context's k_proj v_proj", rows: all, width: hidden, values: features.values.base
        ))
    }
    for (index, layer) in drafter.layers.enumerated() {
      layer.storeContext(features, plan, index: index, scratch: scratch, workers: workers)
    }
  }

  // MARK: Rows of a pass

  /// Adds the tokens that wait to the pass, as rows that see what is before them.
  func addWaiting(_ context: DrafterContext) {
    for (row, token) in context.tokens.enumerated() {
      let position = context.cache.count + row
      addRow(token, context, position: position, visible: 0..<position + 1)
    }
  }

  func addRow(
    _ token: Token, _ context: DrafterContext, position: Int, visible: Range<Int>, place: Int = -1
  ) {
    copy(token, to: scratch.residual.base + plan.count * drafter.configuration.shape.hidden)
    plan.append(cache: context.cache, position: position, visible: visible, place: place)
  }

  /// Takes the embedding of a token, or of a mask where a target has more tokens than the drafter knows.
  func copy(_ token: Token, to row: UnsafeMutablePointer<Float>) {
    let configuration = drafter.configuration
    embedding.copy(
      Int(token) < embedding.vocabularySize ? token : configuration.maskToken, to: row)
    let factor = configuration.factors.embedding
    if factor != 1 { Kernels.scale(row, by: factor, count: configuration.shape.hidden) }
  }

  func runLayers() {
    for (index, layer) in drafter.layers.enumerated() {
      layer.forward(
        plan, index: index, scratch: scratch, workers: workers, observer: observer)
    }
  }

  /// The tokens that waited are in the cache now, and the block's rows behind them are forgotten.
  func settle(_ context: DrafterContext) {
    context.cache.advance(by: context.tokens.count)
    context.tokens.removeAll(keepingCapacity: true)
  }

  // Pointers that a region's workers divide among themselves, or read.
  private struct Taps: @unchecked Sendable { let base: UnsafePointer<Float> }
}
