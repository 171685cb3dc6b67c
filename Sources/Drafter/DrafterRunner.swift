public import Files
public import Tensors

/// Runs a drafter beside one target sequence: the context cache and the buffers of a pass.
///
/// A conditioned drafter projects each committed token's target features to keys and values once; one
/// that sees tokens runs each through its layers once, causally. A draft pass adds the block's rows behind
/// them and forgets these again, so that the cache is a pure function of the committed tokens.
public final class DrafterRunner {
  /// The drafter that runs.
  public let drafter: BlockDrafter

  /// The tokens of the last draft, in order.
  public private(set) var drafts: [Token] = []

  /// What the confidence head says of each of these: log-odds.
  private var odds: [Float] = []

  /// How many committed positions the drafter has been given.
  public var contextCount: Int { cache.count + waiting.count }

  private let embedding: TokenEmbedding
  private let head: PackedMatrix  // [choices][hidden]
  private let workers: Workers
  private let scratch: LayerScratch
  private let plan: RowPlan
  private let cache: KeyValueCache
  private let features: ActivationRows  // [contextRows][hidden]
  private let logits: FloatBuffer  // [blockSize - 1][choices]
  private let previous: FloatBuffer  // [rank]
  /// Committed tokens that no pass has seen yet: at most `contextRows`.
  private var waiting: [Token] = []

  private static let contextRows = 64

  /// Makes the run state for one sequence.
  ///
  /// - Parameters:
  ///   - embedding: The target's, for a drafter that has none.
  ///   - head: The target's, `[vocabulary][hidden]`; the draft vocabulary's rows are taken from it, again
  ///     for a drafter that has none.
  ///   - capacity: Greatest number of committed positions.
  public init(
    drafter: BlockDrafter, embedding: TokenEmbedding, head: PackedMatrix, workers: Workers,
    capacity: Int
  ) {
    let configuration = drafter.configuration
    let shape = configuration.shape
    if let own = drafter.vocabulary {
      (self.embedding, self.head) = (own.embedding, own.head)
    } else {
      precondition(
        embedding.width == shape.hidden && head.columns == shape.hidden
          && head.rows == configuration.vocabularySize,
        "embedding and head must be those of the drafter's target")
      self.embedding = embedding
      self.head =
        drafter.draftVocabulary.map {
          head.selecting(rows: $0.map(Int.init), format: drafter.format)
        } ?? head
    }
    self.drafter = drafter
    self.workers = workers
    // Waiting tokens share the block's pass.
    let rows = Self.contextRows + configuration.blockSize
    scratch = LayerScratch(
      layers: drafter.layers, head: self.head.format, maximumRows: rows, workers: workers.count)
    plan = RowPlan(maximumRows: rows)
    let room = KeyValueCache.roundedUp(capacity + configuration.blockSize)
    cache = KeyValueCache(
      layers: drafter.layers, capacity: room,
      rotary: RotaryTable.tables(for: drafter.layers, capacity: room))
    features = ActivationRows(
      maximumRows: Self.contextRows, width: shape.hidden,
      formats: Set(drafter.layers.flatMap(\.contextFormats)))
    logits = FloatBuffer(count: (configuration.blockSize - 1) * configuration.choices)
    previous = FloatBuffer(count: configuration.markovRank ?? 0)
    drafts.reserveCapacity(configuration.blockSize)
    odds.reserveCapacity(configuration.blockSize)
    waiting.reserveCapacity(Self.contextRows)
  }

  /// The token that an index of a logits row stands for.
  public func token(at choice: Int) -> Token { drafter.draftVocabulary?[choice] ?? Token(choice) }

  /// Projects the target's features of the next committed positions, for a conditioned drafter.
  ///
  /// - Parameters:
  ///   - taps: `[rows][targetLayers.count][hidden]`, as `CausalRunner.taps` holds them.
  ///   - rows: How many positions, from `contextCount` on.
  public func appendContext(_ taps: UnsafePointer<Float>, rows: Int) {
    guard let fusion = drafter.fusion else {
      preconditionFailure("a drafter that sees tokens takes no features")
    }
    let width = fusion.matrix.columns
    var start = 0
    while start < rows {
      let count = min(rows - start, Self.contextRows)
      appendPiece(taps + start * width, rows: count, fusion)
      start += count
    }
  }

  /// Takes the next committed tokens, for a drafter that sees tokens.
  ///
  /// They wait for the next draft and share its pass, because a pass costs what reading its weights costs,
  /// however few rows it has. Of many, only the last wait.
  public func appendContext(_ tokens: ArraySlice<Token>) {
    precondition(drafter.fusion == nil, "a conditioned drafter takes features")
    for token in tokens {
      if waiting.count == Self.contextRows {
        plan.reset()
        addWaiting()
        runLayers()
        settleWaiting()
      }
      waiting.append(token)
    }
  }

  private func appendPiece(_ taps: UnsafePointer<Float>, rows: Int, _ fusion: FeatureFusion) {
    let hidden = drafter.configuration.shape.hidden
    let epsilon = drafter.configuration.shape.normEpsilon
    let input = Taps(base: taps)
    let (drafter, features, workers) = (drafter, features, workers)
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
    plan.reset()
    for row in 0..<rows {
      let position = cache.count + row
      plan.append(cache: cache, position: position, visible: 0..<position + 1)
    }
    for (index, layer) in drafter.layers.enumerated() {
      layer.storeContext(features, plan, index: index, scratch: scratch, workers: workers)
    }
    cache.advance(by: rows)
  }

  /// Forgets the positions from `position` on.
  ///
  /// - Complexity: O(1).
  public func rewind(to position: Int) {
    precondition(position <= contextCount, "can't rewind forward")
    waiting.removeLast(min(contextCount - position, waiting.count))
    if position < cache.count { cache.rewind(to: position) }
  }

  /// Drafts `count` tokens behind `anchor` in one pass; they are left in `drafts`.
  ///
  /// The anchor stands at position `contextCount`. As many rows are computed as training
  /// had (`DrafterConfiguration.rows(drafting:)`); only the first `count` get logits.
  /// - Parameters:
  ///   - anchor: The last committed token, whose features the target has not computed yet.
  ///   - count: 1 to `blockSize - 1`.
  ///   - choose: Given a draft's index and its logits `[choices]`, which it may overwrite, returns
  ///     the index chosen. Called in order, because a Markov head looks at the choice before.
  public func draft(
    anchor: Token, count: Int,
    choose: (_ index: Int, _ logits: UnsafeMutablePointer<Float>) -> Int
  ) {
    let configuration = drafter.configuration
    precondition(
      count > 0 && count < configuration.blockSize, "a block drafts 1 to blockSize - 1 tokens")
    plan.reset()
    addWaiting()
    addBlock(anchor: anchor, rows: configuration.rows(drafting: count))
    runLayers()
    projectLogits(from: waiting.count + 1, count: count)
    settleWaiting()
    drafts.removeAll(keepingCapacity: true)
    odds.removeAll(keepingCapacity: true)
    var last = anchor
    for index in 0..<count {
      let row = logits.base + index * configuration.choices
      addMarkov(after: last, to: row)
      if let head = drafter.confidence {
        // Every worker has normed all rows.
        let hidden = scratch.normedForHead(0).row(index)
        odds.append(head.odds(hidden: hidden, previous: previous))
      }
      last = token(at: choose(index, row))
      drafts.append(last)
    }
  }

  /// How likely the last draft's token `index` is accepted, all before it being right; known as soon as it
  /// is chosen.
  ///
  /// - Parameter probability: By the drafter's distribution; it is the answer of a drafter without a
  ///   confidence head.
  public func confidence(_ index: Int, probability: Float) -> Float {
    drafter.confidence?.confidence(odds: odds[index], probability: probability) ?? probability
  }

  /// Adds the tokens that wait to the pass, as rows that see what is before them.
  private func addWaiting() {
    for (row, token) in waiting.enumerated() {
      let position = cache.count + row
      addRow(token, position: position, visible: 0..<position + 1)
    }
  }

  /// Adds the anchor and the masks, rows that see the context and one another.
  private func addBlock(anchor: Token, rows: Int) {
    let start = contextCount
    for row in 0..<rows {
      addRow(
        row == 0 ? anchor : drafter.configuration.maskToken, position: start + row,
        visible: 0..<start + rows)
    }
  }

  private func addRow(_ token: Token, position: Int, visible: Range<Int>) {
    embedding.copy(
      token, to: scratch.residual.base + plan.count * drafter.configuration.shape.hidden)
    plan.append(cache: cache, position: position, visible: visible)
  }

  private func runLayers() {
    for (index, layer) in drafter.layers.enumerated() {
      layer.forward(plan, index: index, scratch: scratch, workers: workers)
    }
  }

  /// The tokens that waited are in the cache now, and the block's rows behind them are forgotten.
  private func settleWaiting() {
    cache.advance(by: waiting.count)
    waiting.removeAll(keepingCapacity: true)
  }

  private func projectLogits(from first: Int, count: Int) {
    let shape = drafter.configuration.shape
    let choices = drafter.configuration.choices
    let (drafter, head, scratch, logits, workers) = (drafter, head, scratch, logits, workers)
    workers.run { worker in
      let normed = scratch.normForHead(
        rows: first..<first + count, weight: drafter.finalNorm, epsilon: shape.normEpsilon,
        worker: worker)
      head.multiply(
        normed, into: logits.base, stride: choices, count: count,
        panels: (0..<head.panelCount).share(of: worker, among: workers.count))
    }
  }

  private func addMarkov(after token: Token, to row: UnsafeMutablePointer<Float>) {
    guard let markov = drafter.markov else { return }
    markov.embedding.copy(token, to: previous.base)
    let (previous, choices, workers) = (previous, drafter.configuration.choices, workers)
    let out = Logits(base: row)
    workers.run { worker in
      markov.projection.multiply(
        previous.base, stride: previous.count, into: out.base, stride: choices, count: 1,
        panels: (0..<markov.projection.panelCount).share(of: worker, among: workers.count),
        accumulates: true)
    }
  }

  // Pointers that a region's workers divide among themselves.
  private struct Taps: @unchecked Sendable { let base: UnsafePointer<Float> }
  private struct Logits: @unchecked Sendable { let base: UnsafeMutablePointer<Float> }
}
