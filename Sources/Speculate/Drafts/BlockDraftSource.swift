public import Drafter
public import Files
public import Tensors
public import Verifier

/// A block-diffusion drafter as a source of drafts.
///
/// Features of committed positions wait in a buffer until a block is drafted: projecting many rows
/// at once costs little more than one, and plain steps that never draft cost nothing. A drafter that sees
/// tokens alone is given those that it hasn't seen when it drafts, for the same reason.
public final class BlockDraftSource: DraftSource {
  /// The target layers whose outputs condition the drafter.
  public var taps: [Int] { runner.drafter.configuration.targetLayers }
  /// One less than the drafter's block, whose first row is the anchor's.
  public var maximumDrafts: Int { runner.drafter.configuration.blockSize - 1 }

  private let runner: DrafterRunner
  private let kind: DrafterKind
  private let map: VocabularyMap?
  /// Features not projected yet: [waitingRows][taps · width].
  private let waiting: FloatBuffer
  private let featureWidth: Int
  private var waitingCount = 0

  private static let waitingRows = 64

  /// Makes the run state of a drafter for one sequence at a time of a target.
  ///
  /// - Parameters:
  ///   - drafter: the drafter's weights.
  ///   - target: the model it was made for, which lends embedding and head.
  ///   - workers: the threads, shared with the target's runner.
  ///   - capacity: the most committed positions.
  /// - Throws: ``SpeculateError`` if the drafter was made for another target.
  public init(
    drafter: BlockDrafter, target: CausalModel, workers: Workers, capacity: Int
  ) throws {
    try Self.checkFit(drafter.configuration, target: target.configuration)
    map = try drafter.draftVocabulary.map {
      try VocabularyMap(tokens: $0, vocabulary: target.configuration.vocabularySize)
    }
    kind = drafter.configuration.kind
    runner = DrafterRunner(
      drafter: drafter, embedding: target.embedding, head: target.head, workers: workers,
      capacity: capacity)
    featureWidth = drafter.configuration.targetLayers.count * target.configuration.hiddenSize
    waiting = FloatBuffer(count: Self.waitingRows * featureWidth)
  }

  /// Checks that a drafter was made for a target of this shape.
  ///
  /// - Throws: ``SpeculateError`` naming what differs.
  public static func checkFit(
    _ drafter: DrafterConfiguration, target: ModelConfiguration
  ) throws {
    var pairs = [("a vocabulary of", drafter.vocabularySize, target.vocabularySize)]
    if !drafter.ownsEmbedding { pairs.append(("width", drafter.shape.hidden, target.hiddenSize)) }
    if drafter.kind == .conditioned {
      pairs.append(("a number of layers of", drafter.targetLayerCount, target.layerCount))
    }
    for (what, wanted, found) in pairs where wanted != found {
      throw SpeculateError(
        "the drafter was made for a target with \(what) \(wanted), but this target has \(found):"
          + " use a drafter made for this target, or none")
    }
    guard drafter.blockSize >= 2 else {
      throw SpeculateError(
        "the drafter's block size is \(drafter.blockSize), but a block needs the anchor and at"
          + " least one draft: use 2 or more")
    }
    if let layer = drafter.targetLayers.first(where: { !(0..<target.layerCount).contains($0) }) {
      throw SpeculateError(
        "the drafter reads target layer \(layer), but the target's layers are"
          + " 0 to \(target.layerCount - 1): use a drafter made for this target, or none")
    }
    guard (0..<target.vocabularySize).contains(Int(drafter.maskToken)) else {
      throw SpeculateError(
        "the drafter's mask token \(drafter.maskToken) is outside the target's vocabulary of"
          + " \(target.vocabularySize): use a drafter made for this target, or none")
    }
  }

  /// Keeps the features until they are needed, if the drafter wants any.
  public func commit(features: UnsafePointer<Float>, rows: Int) {
    guard kind == .conditioned else { return }
    var taken = 0
    while taken < rows {
      if waitingCount == Self.waitingRows { project() }
      let count = min(rows - taken, Self.waitingRows - waitingCount)
      (waiting.base + waitingCount * featureWidth).update(
        from: features + taken * featureWidth, count: count * featureWidth)
      waitingCount += count
      taken += count
    }
  }

  /// Forgets committed positions from `count` on.
  public func rewind(to count: Int) {
    if kind == .tokens {
      runner.rewind(to: min(count, runner.contextCount))
    } else if count >= runner.contextCount {
      waitingCount = min(waitingCount, count - runner.contextCount)
    } else {
      waitingCount = 0
      runner.rewind(to: count)
    }
  }

  /// One pass over `[anchor, mask × …]`.
  public func draft(
    after tokens: [Token], count: Int, chooser: inout DraftChooser, into block: inout DraftBlock
  ) {
    switch kind {
    case .conditioned: project()
    case .tokens: runner.appendContext(tokens[runner.contextCount..<tokens.count - 1])
    }
    precondition(
      runner.contextCount == tokens.count - 1, "features are committed for all but the anchor")
    let columns = runner.drafter.configuration.choices
    runner.draft(anchor: tokens[tokens.count - 1], count: count) { index, row in
      let draft = chooser.choose(row, count: columns, position: tokens.count + index, map: map)
      block.tokens.append(draft.token)
      block.confidences.append(runner.confidence(index, probability: draft.confidence))
      return draft.column
    }
  }

  private func project() {
    guard waitingCount > 0 else { return }
    runner.appendContext(waiting.base, rows: waitingCount)
    waitingCount = 0
  }
}
