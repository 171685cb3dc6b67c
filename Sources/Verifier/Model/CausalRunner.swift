public import Files
public import Tensors

/// Runs a causal model: the buffers of a pass, owned by one generation.
///
/// A pass feeds tokens at the end of a cache and leaves logits and hidden-state taps in buffers that
/// the next pass overwrites. The logits of a row are the same to the bit whatever rows share its
/// pass (ALGORITHMS 1). It doesn't choose tokens.
public final class CausalRunner {
  /// Which rows of a pass get logits.
  public enum LogitRows: Sendable {
    /// Every row.
    case all
    /// The last row only.
    case last
    /// No row: the pass only extends the cache.
    case none
  }

  /// The model that runs.
  public let model: CausalModel

  /// The threads that run it.
  public let workers: Workers

  /// How many rows a pass may have.
  public let maximumRows: Int

  /// The layers whose outputs are kept, ascending.
  public let tapLayers: [Int]

  /// How the caches that this runner makes hold keys and values.
  public let cacheFormat: KeyValueFormat

  private let scratch: LayerScratch
  private let plan: RowPlan
  private let logitBuffer: FloatBuffer  // [maximumRows][vocabulary]
  private let tapBuffer: FloatBuffer  // [maximumRows][taps][hidden]
  private var rotary: [RotaryTable] = []  // one a layer
  /// Made by the first pass over a tree that branches.
  private var branches: BranchRows?

  /// Makes the buffers of a pass.
  ///
  /// - Parameters:
  ///   - maximumRows: Greatest number of rows in a pass.
  ///   - cacheFormat: How the caches that it makes hold keys and values.
  ///   - taps: Layers whose output rows are kept in `taps`, 0-based, in the order wanted.
  public init(
    model: CausalModel, workers: Workers, maximumRows: Int, taps: [Int] = [],
    cacheFormat: KeyValueFormat = .f32
  ) {
    let configuration = model.configuration
    precondition(maximumRows > 0, "a pass needs rows")
    precondition(
      taps.allSatisfy { $0 >= 0 && $0 < configuration.layerCount }, "a tap names no layer")
    self.model = model
    self.workers = workers
    self.maximumRows = maximumRows
    tapLayers = taps
    self.cacheFormat = cacheFormat
    scratch = LayerScratch(
      layers: model.layers, head: model.head.format, maximumRows: maximumRows,
      workers: workers.count)
    plan = RowPlan(maximumRows: maximumRows)
    logitBuffer = FloatBuffer(count: maximumRows * configuration.vocabularySize)
    tapBuffer = FloatBuffer(count: maximumRows * taps.count * configuration.hiddenSize)
  }

  /// Makes an empty cache for this model.
  ///
  /// - Throws: `SpeculateError` when `capacity` is beyond the model's context.
  public func makeCache(capacity: Int) throws -> KeyValueCache {
    let configuration = model.configuration
    guard capacity > 0, capacity <= configuration.maximumContext else {
      throw SpeculateError(
        "a context of \(capacity) tokens was asked for, but the model's is "
          + "\(configuration.maximumContext); shorten the prompt or generate fewer tokens")
    }
    let room = KeyValueCache.roundedUp(capacity)
    if rotary.allSatisfy({ $0.capacity < room }) {
      rotary = RotaryTable.tables(for: model.layers, capacity: room)
    }
    return KeyValueCache(
      layers: model.layers, capacity: room, format: cacheFormat, rotary: rotary)
  }

  /// The logits of the last pass, `[rows with logits][vocabulary]`; the caller may overwrite them.
  public var logits: UnsafeMutablePointer<Float> { logitBuffer.base }

  /// The tapped layers' outputs of the last pass, `[rows][tapLayers.count][hidden]`.
  public var taps: UnsafePointer<Float> { UnsafePointer(tapBuffer.base) }

  /// Feeds tokens at positions `cache.count...` and extends the cache by them.
  ///
  /// - Parameter tokens: 1 to `maximumRows` tokens, each inside the vocabulary.
  public func forward(
    _ tokens: UnsafeBufferPointer<Token>, cache: KeyValueCache, logits: LogitRows
  ) {
    plan.reset()
    for (row, token) in tokens.enumerated() {
      append(token, cache: cache, position: cache.count + row)
    }
    run(logits: logits)
    cache.advance(by: tokens.count)
  }

  /// Feeds a tree whose root stands at position `cache.count`, with logits for every row.
  ///
  /// The logits of a row are to the bit those of a pass over the row's own path. The cache isn't
  /// extended: ``keep(_:of:cache:)`` must follow, before any other pass.
  ///
  /// - Parameter tree: 1 to `maximumRows` rows, each token inside the vocabulary.
  public func forward(_ tree: TokenTree, cache: KeyValueCache) {
    plan.reset()
    for (token, depth) in zip(tree.tokens, tree.depths) {
      append(token, cache: cache, position: cache.count + depth)
    }
    if !tree.isChain {
      let made =
        branches ?? BranchRows(layers: model.layers, maximumRows: maximumRows)
      branches = made
      plan.branches = made
    }
    run(logits: .all)
  }

  /// Extends the cache by a path of the tree that was just fed, and forgets the other rows.
  ///
  /// The path's taps become the first rows of `taps`; logits stay where they are.
  ///
  /// - Parameter path: rows of the tree from the root on, each following the one before.
  /// - Complexity: O(rows of the path), times layers and their width.
  public func keep(_ path: [Int], of tree: TokenTree, cache: KeyValueCache) {
    let tapWidth = tapLayers.count * model.configuration.hiddenSize
    let base = cache.count
    for (depth, row) in path.enumerated() {
      precondition(
        tree.parents[row] == (depth == 0 ? -1 : path[depth - 1]), "the rows are no path of the tree"
      )
      // The row that was attended last at a position is still stored there.
      if let branches, !tree.isChain, tree.depths[(row + 1)...].contains(depth) {
        branches.store(row: row, in: cache, at: base + depth)
      }
      if row != depth {
        (tapBuffer.base + depth * tapWidth)
          .update(from: tapBuffer.base + row * tapWidth, count: tapWidth)
      }
    }
    cache.advance(by: path.count)
  }

  /// Feeds one token to each of several sequences in one pass.
  ///
  /// Row `r` is to the bit what a pass of its own would give.
  /// - Parameter caches: One a token; all distinct.
  public func forward(batch tokens: [Token], caches: [KeyValueCache], logits: LogitRows) {
    precondition(tokens.count == caches.count, "one cache a token")
    plan.reset()
    for (token, cache) in zip(tokens, caches) {
      append(token, cache: cache, position: cache.count)
    }
    run(logits: logits)
    for cache in caches { cache.advance(by: 1) }
  }

  /// Feeds a prompt in pieces of at most `maximumRows`; the logits of its last row remain.
  ///
  /// - Parameter onPiece: Called after each piece with its number of rows, while `taps` holds them.
  public func prefill(
    _ tokens: [Token], cache: KeyValueCache, onPiece: ((_ rows: Int) throws -> Void)? = nil
  ) rethrows {
    try tokens.withUnsafeBufferPointer { tokens in
      var start = 0
      while start < tokens.count {
        let end = min(start + maximumRows, tokens.count)
        forward(
          UnsafeBufferPointer(rebasing: tokens[start..<end]), cache: cache,
          logits: end == tokens.count ? .last : .none)
        try onPiece?(end - start)
        start = end
      }
    }
  }

  private func append(_ token: Token, cache: KeyValueCache, position: Int) {
    model.embedding.copy(
      token, to: scratch.residual.base + plan.count * model.configuration.hiddenSize)
    // As a layer without a window sees; the others narrow it.
    plan.append(cache: cache, position: position, visible: 0..<position + 1)
  }

  private func run(logits: LogitRows) {
    let hidden = model.configuration.hiddenSize
    let tapWidth = tapLayers.count * hidden
    for (index, layer) in model.layers.enumerated() {
      layer.forward(plan, index: index, scratch: scratch, workers: workers)
      for (slot, tap) in tapLayers.enumerated() where tap == index {
        for row in 0..<plan.count {
          (tapBuffer.base + row * tapWidth + slot * hidden)
            .update(from: scratch.residual.base + row * hidden, count: hidden)
        }
      }
    }
    switch logits {
    case .none: break
    case .last: projectLogits(rows: plan.count - 1..<plan.count)
    case .all: projectLogits(rows: 0..<plan.count)
    }
  }

  private func projectLogits(rows: Range<Int>) {
    let configuration = model.configuration
    let (scratch, model, logits, count) = (scratch, model, logitBuffer, workers.count)
    workers.run { worker in
      let normed = scratch.normForHead(
        rows: rows, weight: model.finalNorm, epsilon: configuration.normEpsilon, worker: worker)
      model.head.multiply(
        normed, into: logits.base, stride: configuration.vocabularySize,
        count: rows.count, panels: (0..<model.head.panelCount).share(of: worker, among: count))
    }
  }
}
