public import Files
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
  public var learnedLength: AdaptiveDraftLength? { drafter.planner.policy }

  /// Who is told every round.
  public var observer: (any RoundObserver)? {
    get { tracer?.observer }
    set {
      tracer = newValue.map { RoundTracer($0, vocabulary: target.configuration.vocabularySize) }
      drafter.chooser.recorder = tracer?.candidates
    }
  }

  private var tracer: RoundTracer?
  private var sequence: SequenceState
  private let target: TargetRun
  private var drafter: RoundDrafter
  /// The rows whose choices the last round emitted.
  private var path: [Int] = []
  private var isPrefilled = false
  private let isCancelled: () -> Bool

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
    drafter = RoundDrafter(
      source: source,
      chooser: DraftChooser(parameters.sampling, choice: draftChoice, context: sequence.context),
      length: length, free: free, prompt: prompt, capacity: cache.capacity,
      maximumRows: runner.maximumRows)
    path.reserveCapacity(runner.maximumRows)
    statistics.reserveCapacity(drafts: runner.maximumRows)
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
      drafter.commit(features: target.runner.taps, rows: rows)
      return !isCancelled()
    }
    isPrefilled = true
    statistics.prefillSeconds += watch.lap()
  }

  /// Draft, verify, accept, keep.
  private func round() {
    var watch = Stopwatch()
    tracer?.candidates.reset()
    drafter.draft(after: sequence.tokens, remaining: sequence.remaining)
    let tree = drafter.planner.rows
    let draftSeconds = watch.lap() - (tracer?.candidates.seconds ?? 0)

    target.verify(tree)
    let verifySeconds = watch.lap()

    let accepted = AcceptanceRule.path(
      in: tree, into: &path, choice: { sequence.choose(target.logits($0)) },
      emit: { sequence.commit($0) })
    let samplingSeconds = watch.lap()

    target.keep(path, of: tree)
    drafter.commit(features: target.runner.taps, rows: path.count)
    recycle(tree, accepted: accepted)
    let otherSeconds = watch.lap()

    let drafted = Swift.max(drafter.passDrafts, tree.count - 1)
    statistics.countRound(
      drafted: drafted, verified: tree.count - 1, accepted: accepted, emitted: path.count,
      ended: finishReason != nil, depth: tree.depth, passes: drafter.passDrafts > 0 ? 1 : 0)
    statistics.draftSeconds += draftSeconds
    statistics.verifySeconds += verifySeconds
    statistics.samplingSeconds += samplingSeconds
    statistics.decodeSeconds += draftSeconds + verifySeconds + samplingSeconds + otherSeconds
    drafter.record(
      path: path, next: sequence.anchor, draftSeconds: draftSeconds,
      verifySeconds: verifySeconds + samplingSeconds + otherSeconds,
      accept: { statistics.countAccepted($0) })
    tracer?.observe(
      tree, drafts: drafter.traced, path: path, accepted: accepted, drafted: drafted,
      passDrafts: drafter.passDrafts, origin: drafter.planner.origin, tokens: sequence.tokens,
      seconds: .init(
        draft: draftSeconds, verify: verifySeconds, sampling: samplingSeconds, other: otherSeconds),
      logits: { UnsafePointer(target.logits($0)) })
  }

  /// Keeps what the target threw away for later rounds: the likeliest drafts behind the last accepted
  /// one, and what it predicted on their rows.
  private func recycle(_ tree: TokenTree, accepted: Int) {
    drafter.commit(sequence.tokens.suffix(path.count))
    guard drafter.isRecycling, finishReason == nil, accepted == path.count - 1 else { return }
    var rejected: [Token] = []
    var predictions: [Token] = []
    var row = path[accepted]
    // Of siblings the likeliest stands last.
    while let child = tree.parents.lastIndex(of: row), rejected.count < Self.longestRecycled {
      rejected.append(tree.tokens[child])
      let position = sequence.tokens.count + predictions.count
      predictions.append(sequence.guess(target.logits(child), position: position))
      row = child
    }
    drafter.recycle(rejected: rejected, predictions: predictions, anchor: sequence.anchor)
  }
}
