package import Files
package import Tensors

/// Runs a causal model: the buffers of a pass, owned by one generation.
///
/// A pass feeds tokens at the end of a cache and leaves logits and hidden-state taps in buffers that
/// the next pass overwrites. The logits of a row are the same to the bit whatever rows share its
/// pass (docs/algorithms.md 1). It doesn't choose tokens.
package final class CausalRunner {
  /// Which rows of a pass get logits.
  package enum LogitRows: Sendable, Equatable {
    case all
    case last
    /// These.
    case rows(Range<Int>)
    /// No row: the pass only extends the cache.
    case none
  }

  package let model: CausalModel

  package let workers: Workers

  package let maximumRows: Int

  /// The layers whose outputs are kept, ascending.
  package let tapLayers: [Int]

  /// How the caches that this runner makes hold keys and values.
  package let cacheFormat: KeyValueFormat

  private let scratch: LayerScratch
  private let plan: RowPlan
  private let logitBuffer: FloatBuffer  // [maximumRows][vocabulary]
  private let tapBuffer: FloatBuffer  // [maximumRows][taps][hidden]
  private let rotary: RotaryTables
  /// The last pass's first row with logits.
  private var firstScored = 0
  /// Made by the first pass over a tree that branches.
  private var branches: BranchRows?

  /// Makes the buffers of a pass.
  ///
  /// - Parameters:
  ///   - maximumRows: Greatest number of rows in a pass.
  ///   - cacheFormat: How the caches that it makes hold keys and values.
  ///   - taps: Layers whose output rows are kept in `taps`, 0-based, in the order wanted.
  package init(
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
    rotary = RotaryTables(layers: model.layers)
    plan = RowPlan(maximumRows: maximumRows)
    logitBuffer = FloatBuffer(count: maximumRows * configuration.vocabularySize)
    tapBuffer = FloatBuffer(count: maximumRows * taps.count * configuration.hiddenSize)
  }

  /// Makes an empty cache for this model.
  ///
  /// - Parameter room: Positions to take memory for at once; nil for all.
  /// - Throws: `SpeculateError` when `capacity` is beyond the model's context, or there is no memory.
  package func makeCache(capacity: Int, room: Int? = nil) throws -> KeyValueCache {
    let configuration = model.configuration
    guard capacity > 0, capacity <= configuration.maximumContext else {
      throw SpeculateError(
        "a context of \(capacity) tokens was asked for, but the model's is "
          + "\(configuration.maximumContext); shorten the prompt or generate fewer tokens")
    }
    return try KeyValueCache(
      layers: model.layers, capacity: capacity, room: room, format: cacheFormat, rotary: rotary)
  }

  /// The logits of the last pass, `[rows with logits][vocabulary]`; the caller may overwrite them.
  package var logits: UnsafeMutablePointer<Float> { logitBuffer.base }

  /// The logits from a row of the last pass on, which has some.
  package func logits(from row: Int) -> UnsafeMutablePointer<Float> {
    logits + (row - firstScored) * model.configuration.vocabularySize
  }

  /// The tapped layers' outputs of the last pass, `[rows][tapLayers.count][hidden]`.
  package var taps: UnsafePointer<Float> { UnsafePointer(tapBuffer.base) }

  /// The tapped layers' outputs from a row of the last pass on.
  package func taps(from row: Int) -> UnsafePointer<Float> {
    taps + row * tapLayers.count * model.configuration.hiddenSize
  }

  /// Feeds tokens at positions `cache.count...` and extends the cache by them.
  ///
  /// - Parameter tokens: 1 to `maximumRows` tokens, each inside the vocabulary.
  package func forward(
    _ tokens: UnsafeBufferPointer<Token>, cache: KeyValueCache, logits: LogitRows
  ) {
    plan.reset()
    for (row, token) in tokens.enumerated() {
      append(token, cache: cache, position: cache.count + row)
    }
    run(logits: logits)
    cache.advance(by: tokens.count)
  }

  /// Feeds the trees of several sequences in one pass, with logits for every row, and slices of others' texts
  /// behind them.
  ///
  /// The first slices stand before the trees, and the rows of a tree follow those of the tree before it. The
  /// logits of a row are to the bit those of a pass over the row's own path alone. Slices extend their caches.
  /// No tree does: ``keep(_:of:firstRow:cache:)`` must follow for each, before any other pass.
  ///
  /// - Parameters:
  ///   - first: What stands before roots of the forest and isn't in their caches yet; without logits.
  ///   - forest: Trees, each with a cache of its own, whose root stands behind the cache's positions and, if
  ///     one of the first slices is for the same cache, that slice.
  ///   - slices: Of other sequences; those that want logits come first. With all else they have 1 to
  ///     `maximumRows` rows.
  package func forward(
    first: [TextSlice] = [], forest: [PlantedTree], slices: [TextSlice] = []
  ) {
    plan.reset()
    for slice in first { append(slice) }
    let start = plan.count
    for planted in forest { append(planted) }
    var scored = plan.count
    for slice in slices {
      precondition(!slice.wantsLogits || scored == plan.count, "slices with logits come first")
      append(slice)
      if slice.wantsLogits { scored = plan.count }
    }
    run(logits: .rows(start..<scored))
    for slice in first { slice.cache.advance(by: slice.tokens.count) }
    for slice in slices { slice.cache.advance(by: slice.tokens.count) }
  }

  /// Extends the cache by a path of the tree that was just fed, and forgets the other rows.
  ///
  /// The path's taps become the first rows of ``taps`` from the tree's first row on; logits stay where
  /// they are.
  ///
  /// - Parameters:
  ///   - path: rows of the tree from the root on, each following the one before.
  ///   - firstRow: the row of the tree's root in the pass.
  /// - Complexity: O(rows of the path), times layers and their width.
  package func keep(_ path: [Int], of tree: TokenTree, firstRow: Int = 0, cache: KeyValueCache) {
    let tapWidth = tapLayers.count * model.configuration.hiddenSize
    let taps = tapBuffer.base + firstRow * tapWidth
    let base = cache.count
    for (depth, row) in path.enumerated() {
      precondition(
        tree.parents[row] == (depth == 0 ? -1 : path[depth - 1]), "the rows are no path of the tree"
      )
      // The row that was attended last at a position is still stored there.
      if let branches, !tree.isChain, tree.depths[(row + 1)...].contains(depth) {
        branches.store(row: firstRow + row, in: cache, at: base + depth)
      }
      if row != depth {
        (taps + depth * tapWidth).update(from: taps + row * tapWidth, count: tapWidth)
      }
    }
    cache.advance(by: path.count)
  }

  /// Feeds tokens of any number at the end of a cache, in pieces of at most `maximumRows`.
  ///
  /// - Parameters:
  ///   - logits: `.last` is the last row of the last piece, whose logits remain.
  ///   - onPiece: Called after each piece with the indices of its tokens, while logits and `taps` hold its
  ///     rows; returns `false` to read no further.
  package func read(
    _ tokens: some Collection<Token>, into cache: KeyValueCache, logits: LogitRows = .none,
    onPiece: (_ piece: Range<Int>) throws -> Bool
  ) rethrows {
    try ContiguousArray(tokens).withUnsafeBufferPointer { tokens in
      var start = 0
      while start < tokens.count {
        let end = min(start + maximumRows, tokens.count)
        forward(
          UnsafeBufferPointer(rebasing: tokens[start..<end]), cache: cache,
          logits: logits == .last && end < tokens.count ? .none : logits)
        guard try onPiece(start..<end) else { return }
        start = end
      }
    }
  }

  package func read(
    _ tokens: some Collection<Token>, into cache: KeyValueCache, logits: LogitRows = .none
  ) {
    read(tokens, into: cache, logits: logits) { _ in true }
  }

  private func append(_ slice: TextSlice) {
    for (row, token) in slice.tokens.enumerated() {
      append(token, cache: slice.cache, position: slice.cache.count + row)
    }
  }

  private func append(_ planted: PlantedTree) {
    let (tree, cache) = (planted.tree, planted.cache)
    for (token, depth) in zip(tree.tokens, tree.depths) {
      append(token, cache: cache, position: cache.count + planted.behind + depth)
    }
    guard !tree.isChain, plan.branches == nil else { return }
    let made = branches ?? BranchRows(layers: model.layers, maximumRows: maximumRows)
    branches = made
    plan.branches = made
  }

  private func append(_ token: Token, cache: KeyValueCache, position: Int) {
    let hidden = model.configuration.hiddenSize
    let row = scratch.residual.base + plan.count * hidden
    model.embedding.copy(token, to: row)
    if model.embeddingScale != 1 { Kernels.scale(row, by: model.embeddingScale, count: hidden) }
    if let positions = model.positions {
      Kernels.add(positions.base + position * hidden, to: row, count: hidden)
    }
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
    case .rows(let rows): projectLogits(rows: rows)
    }
  }

  private func projectLogits(rows: Range<Int>) {
    firstScored = rows.lowerBound
    guard !rows.isEmpty else { return }
    let configuration = model.configuration
    let (scratch, model, logits, count) = (scratch, model, logitBuffer, workers.count)
    workers.run { worker in
      let normed = scratch.normForHead(
        rows: rows, model.finalNorm, worker: worker)
      let panels = (0..<model.head.panelCount).share(of: worker, among: count)
      model.head.multiply(
        normed, into: logits.base, stride: configuration.vocabularySize,
        count: rows.count, panels: panels, bias: model.headBias.map { UnsafePointer($0.base) })
      let tokens =
        panels.lowerBound * 16..<min(panels.upperBound * 16, configuration.vocabularySize)
      guard !tokens.isEmpty else { return }
      for row in 0..<rows.count {
        model.finish(
          logits.base + row * configuration.vocabularySize + tokens.lowerBound, tokens.count)
      }
    }
  }
}
