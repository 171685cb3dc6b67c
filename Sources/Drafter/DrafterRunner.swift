public import Tensors

/// Runs a drafter beside one target sequence: the context cache and the buffers of a pass.
///
/// Each committed token's target features are projected to keys and values once. A draft pass adds
/// the block's rows behind them and forgets these again, so that the cache is a pure function of
/// the committed tokens.
public final class DrafterRunner {
  /// The drafter that runs.
  public let drafter: BlockDrafter

  /// The tokens of the last draft, in order.
  public private(set) var drafts: [Token] = []

  /// How many committed positions have been projected.
  public var contextCount: Int { cache.count }

  private let embedding: TokenEmbedding
  private let head: PackedMatrix  // [choices][hidden]
  private let workers: Workers
  private let scratch: LayerScratch
  private let plan: RowPlan
  private let cache: KeyValueCache
  private let features: FloatBuffer  // [contextRows][hidden]
  private let logits: FloatBuffer  // [blockSize - 1][choices]
  private let previous: FloatBuffer  // [rank]

  private static let contextRows = 64

  /// Makes the run state for one sequence.
  ///
  /// - Parameters:
  ///   - embedding: The target's.
  ///   - head: The target's, `[vocabulary][hidden]`; the draft vocabulary's rows are taken from it.
  ///   - capacity: Greatest number of committed positions.
  public init(
    drafter: BlockDrafter, embedding: TokenEmbedding, head: PackedMatrix, workers: Workers,
    capacity: Int
  ) {
    let configuration = drafter.configuration
    let shape = configuration.shape
    precondition(
      embedding.width == shape.hidden && head.columns == shape.hidden
        && head.rows == configuration.vocabularySize,
      "embedding and head must be those of the drafter's target")
    self.drafter = drafter
    self.embedding = embedding
    self.head =
      drafter.draftVocabulary.map {
        head.selecting(rows: $0.map(Int.init), format: drafter.format)
      } ?? head
    self.workers = workers
    let rows = max(Self.contextRows, configuration.blockSize)
    scratch = LayerScratch(shape: shape, maximumRows: rows, workers: workers.count)
    plan = RowPlan(maximumRows: rows)
    let room = KeyValueCache.roundedUp(capacity + configuration.blockSize)
    cache = KeyValueCache(
      layers: configuration.layerCount, heads: shape.keyValueHeads, dimension: shape.headDimension,
      capacity: room,
      rotary: RotaryTable(
        dimension: shape.headDimension, theta: configuration.ropeTheta,
        scaling: configuration.ropeScaling, capacity: room))
    features = FloatBuffer(count: Self.contextRows * shape.hidden)
    logits = FloatBuffer(count: (configuration.blockSize - 1) * configuration.choices)
    previous = FloatBuffer(count: configuration.markovRank ?? 0)
    drafts.reserveCapacity(configuration.blockSize)
  }

  /// The token that an index of a logits row stands for.
  public func token(at choice: Int) -> Token { drafter.draftVocabulary?[choice] ?? Token(choice) }

  /// Projects the target's features of the next committed positions.
  ///
  /// - Parameters:
  ///   - taps: `[rows][targetLayers.count][hidden]`, as `CausalRunner.taps` holds them.
  ///   - rows: How many positions, from `contextCount` on.
  public func appendContext(_ taps: UnsafePointer<Float>, rows: Int) {
    let width = drafter.fuse.columns
    var start = 0
    while start < rows {
      let count = min(rows - start, Self.contextRows)
      appendPiece(taps + start * width, rows: count)
      start += count
    }
  }

  private func appendPiece(_ taps: UnsafePointer<Float>, rows: Int) {
    let hidden = drafter.configuration.shape.hidden
    let epsilon = drafter.configuration.shape.normEpsilon
    let input = Taps(base: taps)
    let (drafter, features, workers) = (drafter, features, workers)
    workers.run { worker in
      drafter.fuse.multiply(
        input.base, stride: drafter.fuse.columns, into: features.base, stride: hidden, count: rows,
        panels: (0..<drafter.fuse.panelCount).share(of: worker, among: workers.count))
    }
    workers.run { worker in
      for row in (0..<rows).share(of: worker, among: workers.count) {
        let values = features.base + row * hidden
        Kernels.rmsNorm(
          values, weight: drafter.contextNorm.base, into: values, count: hidden, epsilon: epsilon)
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
  public func rewind(to position: Int) { cache.rewind(to: position) }

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
    runBlock(anchor: anchor, rows: configuration.rows(drafting: count))
    projectLogits(count: count)
    drafts.removeAll(keepingCapacity: true)
    var last = anchor
    for index in 0..<count {
      let row = logits.base + index * configuration.choices
      addMarkov(after: last, to: row)
      last = token(at: choose(index, row))
      drafts.append(last)
    }
  }

  private func runBlock(anchor: Token, rows: Int) {
    let configuration = drafter.configuration
    let start = cache.count
    plan.reset()
    for row in 0..<rows {
      embedding.copy(
        row == 0 ? anchor : configuration.maskToken,
        to: scratch.residual.base + row * configuration.shape.hidden)
      plan.append(cache: cache, position: start + row, visible: 0..<start + rows)
    }
    for (index, layer) in drafter.layers.enumerated() {
      layer.forward(plan, index: index, scratch: scratch, workers: workers)
    }
  }

  private func projectLogits(count: Int) {
    let shape = drafter.configuration.shape
    let choices = drafter.configuration.choices
    let (drafter, head, scratch, logits, workers) = (drafter, head, scratch, logits, workers)
    workers.run { worker in
      let normed = scratch.normed(worker)
      for row in 0..<count {
        Kernels.rmsNorm(
          scratch.residual.base + (row + 1) * shape.hidden, weight: drafter.finalNorm.base,
          into: normed + row * shape.hidden, count: shape.hidden, epsilon: shape.normEpsilon)
      }
      head.multiply(
        normed, stride: shape.hidden, into: logits.base, stride: choices, count: count,
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
