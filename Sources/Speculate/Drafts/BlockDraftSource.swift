package import Drafter
import Files
package import Tensors
package import Verifier

/// A block-diffusion drafter as a source of drafts.
package final class BlockDraftSource: DraftSource {
  package var taps: [Int] { passes.runner.drafter.configuration.targetLayers }
  /// One less than the drafter's block where the anchor's row drafts nothing.
  package var maximumDrafts: Int { passes.runner.drafter.configuration.maximumDrafts }

  /// How blocks of this sequence are denoised.
  package var policy: any DenoisingPolicy {
    get { context.policy }
    set { context.denoise(by: newValue) }
  }

  /// The choice that ``policy`` was made of; `nil` for none.
  private var denoising: Denoising?
  /// Sees the blocks as they are drafted, for analysis.
  package var observer: ((DenoisedBlock) -> Void)? {
    get { context.observer }
    set { context.observer = newValue }
  }

  /// What the policy knows of the last block's round.
  package var round: DenoisingRound { context.round }

  private let passes: BlockDraftPasses
  private let context: DrafterContext

  /// Makes the run state of one sequence that shares its passes with others.
  ///
  /// - Throws: ``SpeculateError`` when there is no memory for it.
  package init(sharing passes: BlockDraftPasses, capacity: Int) throws {
    self.passes = passes
    context = try passes.runner.makeContext(capacity: capacity, room: 1)
  }

  package func reserve(_ positions: Int) throws(SpeculateError) { try context.reserve(positions) }

  package var readsCosts: Bool { context.policy.readsCosts }

  /// Checks that a drafter was made for a target of this shape.
  ///
  /// - Parameter tokens: how many tokens the target's tokenizer has; vocabularies may differ in rows beyond
  ///   them. `nil` for no difference.
  /// - Throws: ``SpeculateError`` naming what differs.
  package static func checkFit(
    _ drafter: DrafterConfiguration, target: ModelConfiguration, tokens: Int? = nil
  ) throws {
    var pairs: [(String, Int, Int)] = []
    // Borrowed rows must be there for all tokens of the drafter; its own may be fewer than the target's.
    let least = drafter.ownsEmbedding && drafter.ownsHead ? tokens : drafter.vocabularySize
    let fits =
      tokens.map {
        $0 <= min(drafter.vocabularySize, target.vocabularySize)
          && target.vocabularySize >= least ?? 0
      } ?? false
    if !fits { pairs.append(("a vocabulary of", drafter.vocabularySize, target.vocabularySize)) }
    if !drafter.ownsEmbedding || drafter.kind.readsFeatures {
      pairs.append(("width", drafter.shape.hidden, target.hiddenSize))
    }
    if drafter.kind.readsFeatures, drafter.targetLayerCount > 0 {
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
    guard drafter.ownsEmbedding || (0..<target.vocabularySize).contains(Int(drafter.maskToken))
    else {
      throw SpeculateError(
        "the drafter's mask token \(drafter.maskToken) is outside the target's vocabulary of"
          + " \(target.vocabularySize): use a drafter made for this target, or none")
    }
  }

  /// Keeps the features until they are needed, if the drafter wants any.
  package func commit(features: UnsafePointer<Float>, rows: Int) {
    passes.runner.append(features, rows: rows, to: context)
  }

  package var cache: KeyValueCache? { context.cache }

  /// Whatever it was given were committed tokens.
  package func settle(_ tokens: [Token]) -> Int {
    passes.runner.settleFeatures(of: context)
    return min(context.cache.count, tokens.count)
  }

  package func rewind(to count: Int) { context.rewind(to: min(count, context.count)) }

  /// Sets how blocks are denoised. What an equal choice has learned stays.
  ///
  /// - Parameters:
  ///   - seed: what random choices of a policy are keyed by.
  ///   - lineEnds: gives the tokens that end lines, for policies that look for them.
  /// - Throws: ``SpeculateError`` if the drafter can't do what it takes.
  package func denoise(
    by choice: Denoising, seed: UInt64, lineEnds: () -> Set<Token>
  ) throws {
    guard choice != denoising else { return }
    try choice.check(.block(passes.runner.drafter))
    let policy = choice.policy
    denoising = choice
    context.round.seed = seed
    if policy.needs.contains(.lineEnds) { context.round.lineEnds = lineEnds() }
    context.denoise(by: policy)
  }

  package func enter(_ request: DraftRequest) {
    let tokens = request.tokens
    context.judge(tokens)
    context.round.position = tokens.count
    context.round.most = request.most
    context.round.ends = request.ends
    if context.policy.readsCosts, let costs = request.costs { context.round.costs = costs }
    passes.runner.append(tokens[context.count..<tokens.count - 1], to: context)
    var block = DrafterBlock(
      context: context, anchor: tokens[tokens.count - 1], count: request.count)
    block.branches = request.branching != nil
    passes.enter(block, request)
  }

  /// As many passes over `[anchor, mask × …]` of each sequence as the policy wants.
  package func runPasses() { passes.run() }
}

/// The passes of a block-diffusion drafter, which the sources of several sequences share.
package final class BlockDraftPasses {
  let runner: DrafterRunner
  /// Is told what products of passes take, for analysis.
  package var productObserver: ((ProductInput) -> Void)? {
    get { runner.observer }
    set { runner.observer = newValue }
  }
  private let map: VocabularyMap?
  private var blocks: [DrafterBlock] = []
  private var requests: [DraftRequest] = []
  private var growers: [BranchGrower] = []

  /// Makes the buffers of passes.
  ///
  /// - Parameter tokens: the ids that may be drafted are below this; `nil` for the whole vocabulary.
  /// - Throws: ``SpeculateError`` if the drafter was made for another target.
  package init(
    drafter: BlockDrafter, target: CausalModel, workers: Workers, maximumBlocks: Int,
    tokens: Int? = nil
  ) throws {
    try BlockDraftSource.checkFit(
      drafter.configuration, target: target.configuration, tokens: tokens)
    let vocabulary = max(
      target.configuration.vocabularySize, drafter.configuration.vocabularySize)
    map = try drafter.draftVocabulary.map {
      try VocabularyMap(tokens: $0, vocabulary: vocabulary)
    }
    let limit = tokens ?? target.configuration.vocabularySize
    let choices =
      drafter.draftVocabulary.map { draft in draft.count { Int($0) < limit } }
      ?? min(drafter.configuration.choices, limit)
    runner = DrafterRunner(
      drafter: drafter, embedding: target.embedding, head: target.head, workers: workers,
      maximumBlocks: maximumBlocks)
    runner.choices = choices
    blocks.reserveCapacity(maximumBlocks)
    requests.reserveCapacity(maximumBlocks)
  }

  func enter(_ block: DrafterBlock, _ request: DraftRequest) {
    blocks.append(block)
    requests.append(request)
  }

  func run() {
    guard !blocks.isEmpty else { return }
    while growers.count < requests.count {
      growers.append(
        BranchGrower(
          places: runner.drafter.configuration.maximumDrafts, width: DraftChooser.mostRunnersUp))
    }
    for index in requests.indices { growers[index].begin() }
    runner.draft(blocks) { index, place, row in
      let request = requests[index]
      let width = request.branching?.width ?? 0
      let draft = request.chooser.choose(
        row, count: runner.choices, position: request.tokens.count + place, map: map, others: width)
      if width > 0 { growers[index].add(request.chooser, place: place) }
      // Where there is none to give, the block says so.
      guard let draft else { return DraftProposal(token: 0, confidence: .nan) }
      return DraftProposal(
        token: draft.token,
        confidence: runner.confidence(
          place, of: blocks[index].context, probability: draft.confidence))
    } again: { index in
      let request = requests[index]
      growers[index].begin()
      request.chooser.beginBlock(
        at: request.tokens.count, behind: blocks[index].context.block.drafts)
    } finish: { index in
      requests[index].take(blocks[index].context.block)
      grow(index)
    }
    blocks.removeAll(keepingCapacity: true)
    requests.removeAll(keepingCapacity: true)
  }

  /// Looks beside the drafts of a block that one pass made.
  private func grow(_ index: Int) {
    let (request, context) = (requests[index], blocks[index].context)
    guard let branching = request.branching, context.block.meter.passes == 1,
      context.block.chains.isEmpty
    else { return }
    growers[index].truncate(to: request.block.tokens.count)
    growers[index].grow(request, branching) { place, previous, goesOn in
      request.chooser.chooseBeside(
        runner.logits(of: place, after: previous, in: context, goesOn: goesOn),
        count: runner.choices, position: request.tokens.count + place, map: map)
    }
  }
}
