public import Tensors
public import Verifier

/// Speculative decoding: drafts are verified by one target pass, and what agrees with the target's
/// own choices is committed, with one token more.
///
/// Drafts come from a source, usually a drafter model, and from what costs no pass: matches in
/// earlier text and what verification threw away. Together they are a tree, of which as much is
/// verified as is expected to pay.
///
/// The output is that of ``PlainDecoder`` for any source, draft length and draft choice: the target
/// alone chooses (``AcceptanceRule``), its rows do not depend on what shares the pass, and its
/// noise depends on positions only.
public final class DraftVerifyDecoder: Decoder {
  /// What happened so far.
  public private(set) var statistics = GenerationStatistics()
  /// Why generation ended.
  public var finishReason: FinishReason? { sequence.finishReason }
  /// The adaptive length as it has learned so far, to start the next generation with; `nil` if the
  /// length is fixed.
  public var learnedLength: AdaptiveDraftLength? { planner.policy }

  /// Who is told every round.
  public var observer: (any RoundObserver)? {
    get { tracer?.observer }
    set {
      tracer = newValue.map { RoundTracer($0, vocabulary: target.configuration.vocabularySize) }
      chooser.recorder = tracer?.candidates
    }
  }

  private var tracer: RoundTracer?
  private var sequence: SequenceState
  private let target: TargetRun
  private let source: (any DraftSource)?
  private var free: FreeDrafts?
  private var planner: RoundPlanner
  private var chooser: DraftChooser
  private var block = DraftBlock()
  private var isPrefilled = false
  private let isCancelled: () -> Bool
  /// Rows committed to the source since it last drafted; more than a block's worth is a backlog,
  /// and the next draft's time is not a usual one.
  private var rowsSinceDraft = 0

  /// Rejected rows whose predictions are looked at.
  private static let longestRecycled = 16

  /// Prepares a generation; no pass runs before the first token is asked for.
  ///
  /// - Parameters:
  ///   - runner: the target, with the source's taps, used by this decoder alone while it works.
  ///   - cache: an empty cache with room for prompt and output.
  ///   - source: what drafts, if anything does; it is rewound to the beginning.
  ///   - prompt: at least one token.
  ///   - parameters: checked here.
  ///   - length: how many tokens to draft.
  ///   - draftChoice: how the source's logits become drafts.
  ///   - free: which drafts are tried that cost no pass.
  ///   - isCancelled: asked before every round.
  /// - Throws: ``SpeculateError`` for parameters or a prompt that cannot be decoded.
  public init(
    runner: CausalRunner, cache: KeyValueCache, source: (any DraftSource)?, prompt: [Token],
    parameters: GenerationParameters, length: DraftLength, draftChoice: DraftChoice = .coupled,
    free: FreeDraftOptions = .none, isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws {
    target = TargetRun(runner: runner, cache: cache)
    sequence = try SequenceState(
      prompt: prompt, parameters: parameters, configuration: target.configuration,
      capacity: cache.capacity)
    self.source = source
    source?.rewind(to: 0)
    chooser = DraftChooser(parameters.sampling, choice: draftChoice, context: sequence.context)
    planner = RoundPlanner(length)
    if !free.isEmpty {
      self.free = FreeDrafts(free)
      self.free?.commit(prompt)
    }
    self.isCancelled = isCancelled
    statistics.generations = 1
    statistics.promptTokens = prompt.count
  }

  /// The next token; `nil` at the end.
  public func next() -> Token? {
    while true {
      if let token = sequence.take() { return token }
      guard sequence.finishReason == nil else { return nil }
      if isCancelled() { finish(.cancelled) } else if isPrefilled { round() } else { prefill() }
    }
  }

  /// Ends generation.
  public func finish(_ reason: FinishReason) { sequence.finish(reason) }

  private func prefill() {
    var watch = Stopwatch()
    target.prefill(sequence.tokens) { rows in
      commitFeatures(rows: rows)
      return !isCancelled()
    }
    isPrefilled = true
    statistics.prefillSeconds += watch.lap()
  }

  /// Draft, verify, accept, keep.
  private func round() {
    var watch = Stopwatch()
    let (tree, nodes) = draft()
    let draftSeconds = watch.lap() - (tracer?.candidates.seconds ?? 0)

    target.verify(tree)
    let verifySeconds = watch.lap()

    let (path, accepted) = AcceptanceRule.path(
      in: tree, choice: { sequence.choose(target.logits($0)) }, emit: { sequence.commit($0) })
    let samplingSeconds = watch.lap()

    target.keep(path, of: tree)
    let isUsual = rowsSinceDraft <= (source?.maximumDrafts ?? 0) + 1
    let drafted = block.tokens.count
    if drafted > 0 { rowsSinceDraft = 0 }
    commitFeatures(rows: path.count)
    recycle(tree, path: path, accepted: accepted)
    let otherSeconds = watch.lap()

    statistics.countRound(
      drafted: Swift.max(drafted, tree.count - 1), verified: tree.count - 1, accepted: accepted,
      emitted: path.count, ended: finishReason != nil, depth: tree.depth,
      passes: drafted > 0 ? 1 : 0)
    statistics.draftSeconds += draftSeconds
    statistics.verifySeconds += verifySeconds
    statistics.samplingSeconds += samplingSeconds
    statistics.decodeSeconds += draftSeconds + verifySeconds + samplingSeconds + otherSeconds
    let origins = planner.record(
      tree, nodes: nodes, path: path, next: sequence.anchor, drafted: drafted,
      draftSeconds: isUsual ? draftSeconds : nil,
      verifySeconds: verifySeconds + samplingSeconds + otherSeconds)
    for origin in origins { statistics.countAccepted(origin) }
    tracer?.observe(
      tree, path: path, accepted: accepted, drafted: Swift.max(drafted, tree.count - 1),
      origin: planner.origin, confidences: block.confidences, tokens: sequence.tokens,
      seconds: .init(
        draft: draftSeconds, verify: verifySeconds, sampling: samplingSeconds, other: otherSeconds),
      logits: { UnsafePointer(target.logits($0)) })
  }

  /// The rows of this round's pass, which may be the anchor alone, and the planner's node of each.
  private func draft() -> (tree: TokenTree, nodes: [Int]) {
    block.removeAll()
    tracer?.candidates.reset()
    // The bonus token takes the last place that is left.
    let depth = sequence.remaining - 1
    let limit = Swift.min(depth, target.runner.maximumRows - 1)
    let candidates = limit > 0 ? free?.candidates(after: sequence.tokens, limit: limit) ?? [] : []
    planner.begin(anchor: sequence.anchor, candidates: candidates)
    let most = Swift.min(limit, source?.maximumDrafts ?? 0)
    let count = planner.modelDrafts(limit: most, rows: limit)
    if count > 0, let source {
      source.draft(after: sequence.tokens, count: count, chooser: &chooser, into: &block)
      chooser.finishBlock()
      block.truncate(to: count)
      planner.add(block, before: candidates)
    }
    return planner.rows(limit: target.runner.maximumRows - 1)
  }

  /// Keeps what the target threw away for later rounds: the likeliest drafts behind the last accepted
  /// one, and what it predicted on their rows.
  private func recycle(_ tree: TokenTree, path: [Int], accepted: Int) {
    guard free != nil else { return }
    free?.commit(sequence.tokens.suffix(path.count))
    guard finishReason == nil, accepted == path.count - 1 else { return }
    var rejected: [Token] = []
    var predictions: [Token] = []
    var row = path[accepted]
    // Of siblings the likeliest stands last.
    while let child = tree.parents.lastIndex(of: row), rejected.count < Self.longestRecycled {
      rejected.append(tree.tokens[child])
      if free?.wantsPredictions == true {
        let position = sequence.tokens.count + predictions.count
        predictions.append(sequence.guess(target.logits(child), position: position))
      }
      row = child
    }
    free?.recycle(rejected: rejected, predictions: predictions, anchor: sequence.anchor)
  }

  /// Gives the source the features of the first `rows` rows of the last pass, now committed.
  private func commitFeatures(rows: Int) {
    source?.commit(features: target.runner.taps, rows: rows)
    rowsSinceDraft += rows
  }
}
