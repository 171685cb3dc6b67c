package import Files
package import Tensors

/// Runs a drafter: the buffers of a pass, which sequences share.
///
/// A conditioned drafter projects each committed token's target features to keys and values once; one
/// that sees tokens runs each through its layers once, causally. A draft pass adds the rows of blocks
/// behind them, one block a sequence, and forgets these again.
package final class DrafterRunner {
  package let drafter: BlockDrafter

  /// How many passes blocks take, and which drafts are chosen after each.
  package var policy: any DenoisingPolicy = SinglePass()

  private let embedding: TokenEmbedding
  private let head: PackedMatrix  // [choices][hidden]
  private let workers: Workers
  private let scratch: LayerScratch
  private let plan: RowPlan
  private let features: ActivationRows  // [waitingRows][hidden]
  private let maximumBlocks: Int
  /// Logits of a row, which are more than there are choices where the target's vocabulary is padded further
  /// than the drafter's.
  private let columns: Int
  private let logits: FloatBuffer  // [maximumBlocks · maximumDrafts][columns]
  private let headRows: UnsafeMutableBufferPointer<Int>  // the pass's row of each row of logits
  private let walk: BlockWalk
  private let rotary: RotaryTables
  /// Rows of the last pass as the layers left them, before heads: made when a block wants them.
  private var untouched: FloatBuffer?  // [maximumBlocks · maximumDrafts + 1][columns]
  /// Features of several sequences, for one product: made when there are several.
  private var gathered: FloatBuffer?  // [waitingRows][taps · width]

  private static let waitingRows = DrafterContext.waitingRows

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
        rows: drafts + 1, blocks: maximumBlocks, choices: columns, workers: workers))
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
        capacity: configuration.maximumDrafts, choices: columns))
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

  private func read(_ context: DrafterContext) {
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
  private func project(_ blocks: [DrafterBlock]) {
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
    for (index, layer) in drafter.layers.enumerated() {
      layer.storeContext(features, plan, index: index, scratch: scratch, workers: workers)
    }
  }

  // MARK: Drafting

  /// Drafts a block for each of several sequences, in shared passes if they fit; the drafts are left in
  /// their contexts.
  ///
  /// An anchor stands at position `context.count`. As many rows are computed as training had
  /// (`DrafterConfiguration.rows(drafting:)`); only those that are drafted get logits. A block's drafts are
  /// to the bit those of passes of its own.
  /// - Parameters:
  ///   - blocks: Each of another context.
  ///   - choose: Given a block's index, a draft's place in it and its logits `[choices]`, which it may
  ///     overwrite, returns the index chosen. Called once for each draft, after a pass in the order of
  ///     places, because heads look at the choice before.
  ///   - branch: Given a block's index, may ask for ``logits(of:after:in:)``. Called for those that branch, if
  ///     one pass made all their drafts.
  package func draft(
    _ blocks: [DrafterBlock],
    choose: (_ block: Int, _ place: Int, _ logits: UnsafeMutablePointer<Float>) -> Int,
    branch: (_ block: Int) -> Void = { _ in }
  ) {
    if drafter.fusion != nil { project(blocks) }
    for first in stride(from: 0, to: blocks.count, by: maximumBlocks) {
      let part = blocks[first..<min(first + maximumBlocks, blocks.count)]
      for block in part {
        precondition(
          block.count > 0 && block.count <= drafter.configuration.maximumDrafts,
          "a block drafts 1 to maximumDrafts tokens")
        block.context.block.begin(anchor: block.anchor, count: block.count)
      }
      repeat {
        let drafts = pass(part)
        if part.contains(where: \.branches) { keepRows(drafts) }
        // Every worker has normed all rows.
        walk.run(part, hidden: scratch.normedForHead(0), logits: logits.base) {
          token(at: choose($0, $1, $2))
        }
      } while part.contains { $0.context.block.hasMasks }
      for block in part { block.context.finishBlock() }
      for index in part.indices where blocks[index].branches && blocks[index].context.passes == 1 {
        branch(index)
      }
    }
  }

  private func keepRows(_ count: Int) {
    let rows = untouched ?? FloatBuffer(count: logits.count + columns)
    untouched = rows
    rows.base.update(from: logits.base, count: count * columns)
  }

  /// The logits of a place as if another token than the draft stood before it: [columns].
  ///
  /// The caller may overwrite them; the next call does.
  ///
  /// - Parameters:
  ///   - context: Of a block that branches, in whose turn to do so.
  ///   - goesOn: Whether the token was chosen of the place that was asked for last.
  package func logits(
    of place: Int, after token: Token, in context: DrafterContext, goesOn: Bool = false
  ) -> UnsafeMutablePointer<Float> {
    guard let untouched else { preconditionFailure("the block doesn't branch") }
    let index = context.firstRow + place
    let own = logits.count / columns
    let row = untouched.base + logits.count
    row.update(from: untouched.base + index * columns, count: columns)
    walk.adjust(
      DraftedRow(
        index: own, hidden: scratch.normedForHead(0).row(index), logits: row, previous: token,
        before: goesOn ? own : place > 0 ? index - 1 : nil))
    return row
  }

  /// How likely a draft is accepted, all before it being right; known while it is chosen.
  ///
  /// - Parameter probability: By the drafter's distribution; it is the answer where no head has another.
  package func confidence(_ place: Int, of context: DrafterContext, probability: Float) -> Float {
    walk.heads.confidence(of: context.firstRow + place, probability: probability)
  }

  /// A pass over blocks that have masks and the tokens that wait before them.
  ///
  /// - Returns: How many rows have logits.
  private func pass(_ blocks: ArraySlice<DrafterBlock>) -> Int {
    let configuration = drafter.configuration
    var room = Self.waitingRows
    for block in blocks {
      if block.context.tokens.count > room { read(block.context) }
      room -= block.context.tokens.count
    }
    plan.reset()
    var drafts = 0
    for block in blocks where block.context.block.hasMasks {
      addWaiting(block.context)
      let first = plan.count + (configuration.samplesAnchor ? 0 : 1)
      for place in 0..<block.count { headRows[drafts + place] = first + place }
      block.context.firstRow = drafts
      drafts += block.count
      add(block, rows: configuration.rows(drafting: block.count))
    }
    runLayers()
    projectLogits(count: drafts)
    for block in blocks where block.context.block.hasMasks {
      settle(block.context)
      block.context.block.finishPass(
        logits.base + block.context.firstRow * columns, policy)
    }
    return drafts
  }

  /// The token that an index of a logits row stands for.
  package func token(at choice: Int) -> Token { drafter.draftVocabulary?[choice] ?? Token(choice) }

  /// Adds the tokens that wait to the pass, as rows that see what is before them.
  private func addWaiting(_ context: DrafterContext) {
    for (row, token) in context.tokens.enumerated() {
      let position = context.cache.count + row
      addRow(token, context, position: position, visible: 0..<position + 1)
    }
  }

  /// Adds the anchor, known drafts and masks, rows that see the context and one another; of a causal drafter
  /// those before them.
  private func add(_ block: DrafterBlock, rows: Int) {
    let start = block.context.count
    let isCausal = drafter.configuration.isCausal
    for row in 0..<rows {
      addRow(
        block.context.block.token(ofRow: row) ?? drafter.configuration.maskToken, block.context,
        position: start + row, visible: 0..<start + (isCausal ? row + 1 : rows), place: row)
    }
  }

  private func addRow(
    _ token: Token, _ context: DrafterContext, position: Int, visible: Range<Int>, place: Int = -1
  ) {
    let hidden = drafter.configuration.shape.hidden
    let row = scratch.residual.base + plan.count * hidden
    // A target may have more tokens than the drafter knows.
    embedding.copy(
      Int(token) < embedding.vocabularySize ? token : drafter.configuration.maskToken, to: row)
    let factor = drafter.configuration.factors.embedding
    if factor != 1 { Kernels.scale(row, by: factor, count: hidden) }
    plan.append(cache: context.cache, position: position, visible: visible, place: place)
  }

  private func runLayers() {
    for (index, layer) in drafter.layers.enumerated() {
      layer.forward(plan, index: index, scratch: scratch, workers: workers)
    }
  }

  /// The tokens that waited are in the cache now, and the block's rows behind them are forgotten.
  private func settle(_ context: DrafterContext) {
    context.cache.advance(by: context.tokens.count)
    context.tokens.removeAll(keepingCapacity: true)
  }

  private func projectLogits(count: Int) {
    let columns = columns
    let rows = Rows(rows: UnsafeBufferPointer(rebasing: headRows[..<count]))
    let (drafter, head, scratch, logits, workers) = (drafter, head, scratch, logits, workers)
    let factors = drafter.configuration.factors
    workers.run { worker in
      let normed = scratch.normForHead(
        rows: rows.rows, drafter.finalNorm, worker: worker)
      let panels = (0..<head.panelCount).share(of: worker, among: workers.count)
      head.multiply(normed, into: logits.base, stride: columns, count: count, panels: panels)
      let own = head.rows(of: panels)
      guard factors.logits != 1 || factors.cap != nil, !own.isEmpty else { return }
      for row in 0..<count {
        let values = logits.base + row * columns + own.lowerBound
        if factors.logits != 1 { Kernels.scale(values, by: factors.logits, count: own.count) }
        if let cap = factors.cap { Kernels.softCap(values, count: own.count, cap: cap) }
      }
    }
  }

  // Pointers that a region's workers divide among themselves, or read.
  private struct Taps: @unchecked Sendable { let base: UnsafePointer<Float> }
  private struct Rows: @unchecked Sendable { let rows: UnsafeBufferPointer<Int> }
}
