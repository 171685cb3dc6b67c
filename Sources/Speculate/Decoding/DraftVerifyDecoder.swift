public import Tensors
public import Verifier

/// Speculative decoding: a source drafts a block, one target pass verifies it, and what agrees with
/// the target's own choices is committed, with one token more.
///
/// The output is that of ``PlainDecoder`` for any source, draft length and draft choice: the target
/// alone chooses (``AcceptanceRule``), its rows do not depend on the width of the pass, and its
/// noise depends on positions only.
public final class DraftVerifyDecoder: Decoder {
  /// What happened so far.
  public private(set) var statistics = GenerationStatistics()
  /// Why generation ended.
  public var finishReason: FinishReason? { sequence.finishReason }
  /// The adaptive length as it has learned so far, to start the next generation with; `nil` if the
  /// length is fixed.
  public private(set) var learnedLength: AdaptiveDraftLength?

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
  private var target: TargetRun
  private let source: any DraftSource
  private var chooser: DraftChooser
  private var block = DraftBlock()
  private let fixedLength: Int
  private var isPrefilled = false
  private let isCancelled: () -> Bool
  /// Rows committed to the source since it last drafted; more than a block's worth is a backlog,
  /// and the next draft's time is not a usual one.
  private var rowsSinceDraft = 0

  /// Prepares a generation; no pass runs before the first token is asked for.
  ///
  /// - Parameters:
  ///   - runner: the target, with the source's taps, used by this decoder alone while it works.
  ///   - cache: an empty cache with room for prompt and output.
  ///   - source: what drafts; it is rewound to the beginning.
  ///   - prompt: at least one token.
  ///   - parameters: checked here.
  ///   - length: how many tokens to draft.
  ///   - draftChoice: how the source's logits become drafts.
  ///   - isCancelled: asked before every round.
  /// - Throws: ``SpeculateError`` for parameters or a prompt that cannot be decoded.
  public init(
    runner: CausalRunner, cache: KeyValueCache, source: any DraftSource, prompt: [Token],
    parameters: GenerationParameters, length: DraftLength, draftChoice: DraftChoice = .coupled,
    isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws {
    target = TargetRun(runner: runner, cache: cache)
    sequence = try SequenceState(
      prompt: prompt, parameters: parameters, configuration: target.configuration,
      capacity: cache.capacity)
    self.source = source
    source.rewind(to: 0)
    chooser = DraftChooser(parameters.sampling, choice: draftChoice, context: sequence.context)
    switch length {
    case .fixed(let count): fixedLength = Swift.max(0, count)
    case .adaptive(let policy):
      fixedLength = 0
      learnedLength = policy
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

  /// Draft, verify, accept, rewind.
  private func round() {
    var watch = Stopwatch()
    draft()
    let drafted = block.tokens.count
    cutUnlikelyDrafts()
    let draftSeconds = watch.lap() - (tracer?.candidates.seconds ?? 0)

    target.verify(anchor: sequence.anchor, drafts: block.tokens)
    let verifySeconds = watch.lap()

    let (accepted, emitted) = AcceptanceRule.agreement(
      block.tokens, choice: { sequence.choose(target.logits($0)) },
      emit: { sequence.commit($0) })
    let samplingSeconds = watch.lap()

    target.cache.rewind(to: sequence.tokens.count - 1)
    let isUsual = rowsSinceDraft <= source.maximumDrafts + 1
    if drafted > 0 { rowsSinceDraft = 0 }
    commitFeatures(rows: emitted)
    let otherSeconds = watch.lap()

    statistics.countRound(
      drafted: drafted, verified: block.tokens.count, accepted: accepted, emitted: emitted,
      ended: finishReason != nil)
    statistics.draftSeconds += draftSeconds
    statistics.verifySeconds += verifySeconds
    statistics.samplingSeconds += samplingSeconds
    statistics.decodeSeconds += draftSeconds + verifySeconds + samplingSeconds + otherSeconds
    learnedLength?.record(
      drafted: drafted, verified: block.tokens.count, accepted: accepted,
      confidences: block.confidences, draftSeconds: isUsual ? draftSeconds : nil,
      verifySeconds: verifySeconds + samplingSeconds + otherSeconds)
    tracer?.observe(
      drafted: drafted, block: block, accepted: accepted, tokens: sequence.tokens,
      emitted: emitted, rows: block.tokens.count + 1,
      seconds: .init(
        draft: draftSeconds, verify: verifySeconds, sampling: samplingSeconds, other: otherSeconds),
      logits: { UnsafePointer(target.logits($0)) })
  }

  /// Fills the block with as many drafts as pay, which may be none.
  private func draft() {
    block.removeAll()
    tracer?.candidates.reset()
    // The bonus token takes the last place that is left.
    let limit = Swift.min(
      source.maximumDrafts, target.runner.maximumRows - 1, sequence.remaining - 1)
    let count = learnedLength?.draftCount(limit: limit) ?? Swift.min(fixedLength, limit)
    guard count > 0 else { return }
    source.draft(after: sequence.tokens, count: count, chooser: &chooser, into: &block)
    chooser.finishBlock()
    block.truncate(to: count)
  }

  /// Leaves drafts unverified that are not worth a row, by the source's own account.
  private func cutUnlikelyDrafts() {
    guard !block.confidences.isEmpty, block.confidences.count == block.tokens.count,
      let count = learnedLength?.verifiedCount(confidences: block.confidences)
    else { return }
    block.truncate(to: count)
  }

  /// Gives the source the features of the first `rows` rows of the last pass, now committed.
  private func commitFeatures(rows: Int) {
    source.commit(features: target.runner.taps, rows: rows)
    rowsSinceDraft += rows
  }
}
