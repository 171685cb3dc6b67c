import Files

/// The drafting half of ``DraftVerifyDecoder``'s rounds, for one sequence: what drafts, what is
/// verified of it, and what is learned from the outcome.
///
/// It asks nothing of the target, so that ``DraftReplay`` has the same rounds along a known text.
struct RoundDrafter {
  /// How drafts are chosen from the source's logits.
  var chooser: DraftChooser
  /// What the source drafted in this round.
  private(set) var block = DraftBlock()
  private(set) var planner: RoundPlanner

  private let source: (any DraftSource)?
  private var free: FreeDrafts?
  private let maximumRows: Int
  /// Rows committed to the source since it last drafted; more than a block's worth is a backlog,
  /// and the next draft's time is not a usual one.
  private var rowsSinceDraft = 0
  private var isUsual = true

  /// Prepares a sequence; the source is rewound to the beginning.
  ///
  /// - Parameters:
  ///   - source: what drafts, if anything does.
  ///   - chooser: turns its logits into drafts.
  ///   - length: how many tokens to draft.
  ///   - free: which drafts are tried that cost no pass.
  ///   - prompt: the tokens committed so far.
  ///   - capacity: tokens that there is room for at once, the prompt's included.
  ///   - maximumRows: rows of a target pass.
  init(
    source: (any DraftSource)?, chooser: DraftChooser, length: DraftLength, free: FreeDraftOptions,
    prompt: [Token], capacity: Int, maximumRows: Int
  ) {
    self.source = source
    self.chooser = chooser
    self.maximumRows = maximumRows
    planner = RoundPlanner(length)
    source?.rewind(to: 0)
    guard !free.isEmpty else { return }
    self.free = FreeDrafts(free, capacity: capacity)
    self.free?.commit(prompt)
  }

  /// Drafts that a pass of the source made in this round.
  var passDrafts: Int { block.tokens.count }

  /// Plans the rows of a round's pass, which may be the anchor alone: the planner's `rows`.
  ///
  /// - Parameters:
  ///   - tokens: all committed tokens; the last is the anchor.
  ///   - remaining: how many tokens may still be committed.
  mutating func draft(after tokens: [Token], remaining: Int) {
    block.removeAll()
    // The bonus token takes the last place that is left.
    let limit = Swift.min(remaining - 1, maximumRows - 1)
    free?.lookUp(tokens, limit: limit)
    let candidates = free?.candidates ?? []
    planner.begin(anchor: tokens[tokens.count - 1], candidates: candidates)
    let most = Swift.min(limit, source?.maximumDrafts ?? 0)
    let count = planner.modelDrafts(limit: most, rows: limit)
    if count > 0, let source {
      source.draft(after: tokens, count: count, chooser: &chooser, into: &block)
      chooser.finishBlock()
      block.truncate(to: count)
      planner.add(block, before: candidates)
    }
    isUsual = rowsSinceDraft <= (source?.maximumDrafts ?? 0) + 1
    if !block.tokens.isEmpty { rowsSinceDraft = 0 }
    planner.chooseRows(limit: maximumRows - 1)
  }

  /// Gives the source the features of the next `rows` committed positions.
  mutating func commit(features: UnsafePointer<Float>, rows: Int) {
    source?.commit(features: features, rows: rows)
    rowsSinceDraft += rows
  }

  // MARK: Drafts that cost no pass

  /// Whether ``recycle(rejected:predictions:anchor:)`` is of use.
  var isRecycling: Bool { free?.isRecycling == true }

  /// Adds committed tokens to the text that drafts are looked up in.
  mutating func commit(_ tokens: some Sequence<Token>) { free?.commit(tokens) }

  /// Takes what a rejection left, after ``commit(_:)``.
  mutating func recycle(rejected: [Token], predictions: [Token], anchor: Token) {
    free?.recycle(rejected: rejected, predictions: predictions, anchor: anchor)
  }

  // MARK: After the round

  /// Learns from the round.
  ///
  /// - Parameters:
  ///   - path: the rows whose choices were emitted.
  ///   - next: the last token emitted.
  ///   - draftSeconds: time of drafting.
  ///   - verifySeconds: time of the round without drafting.
  ///   - accept: is told where each accepted draft came from.
  mutating func record(
    path: [Int], next: Token, draftSeconds: Double, verifySeconds: Double,
    accept: (DraftOrigin) -> Void
  ) {
    planner.record(
      path: path, next: next, drafted: passDrafts, draftSeconds: isUsual ? draftSeconds : nil,
      verifySeconds: verifySeconds, accept: accept)
  }

  /// What an observer is told of the drafts in the rows behind the anchor.
  var traced: [TracedDraft] {
    planner.nodes.dropFirst().map { node in
      TracedDraft(origin: planner.origin(of: node), confidence: planner.confidence(of: node))
    }
  }
}
