public import Files
public import Tensors
public import Verifier

/// Token-by-token decoding: one target pass of one row for each token. What every other decoder is
/// measured against, and what its output must equal.
public final class PlainDecoder: Decoder {
  /// What happened so far.
  public private(set) var statistics = GenerationStatistics()
  /// Why generation ended.
  public var finishReason: FinishReason? { sequence.finishReason }

  /// Who is told every round.
  public var observer: (any RoundObserver)? {
    get { tracer?.observer }
    set {
      tracer = newValue.map { RoundTracer($0, vocabulary: target.configuration.vocabularySize) }
    }
  }

  private var tracer: RoundTracer?
  private var sequence: SequenceState
  private let target: TargetRun
  private var isPrefilled = false
  private let isCancelled: () -> Bool

  /// Prepares a generation; no pass runs before the first token is asked for.
  ///
  /// - Parameters:
  ///   - runner: the target, used by this decoder alone while it works.
  ///   - cache: an empty cache with room for prompt and output.
  ///   - prompt: at least one token.
  ///   - parameters: checked here.
  ///   - isCancelled: asked before every pass.
  /// - Throws: ``SpeculateError`` for parameters or a prompt that cannot be decoded.
  public init(
    runner: CausalRunner, cache: KeyValueCache, prompt: [Token],
    parameters: GenerationParameters, isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws {
    target = TargetRun(runner: runner, cache: cache)
    sequence = try SequenceState(
      prompt: prompt, parameters: parameters, configuration: target.configuration,
      capacity: cache.capacity)
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
    target.prefill(sequence.tokens) { _ in !isCancelled() }
    isPrefilled = true
    statistics.prefillSeconds += watch.lap()
  }

  /// One token: the target's choice after the anchor.
  private func round() {
    var watch = Stopwatch()
    let anchor = sequence.anchor
    target.step(anchor: anchor)
    let verifySeconds = watch.lap()
    let goesOn = sequence.commit(sequence.choose(target.logits(0)))
    let samplingSeconds = watch.lap()
    statistics.countRound(drafted: 0, verified: 0, accepted: 0, emitted: 1, ended: !goesOn)
    statistics.verifySeconds += verifySeconds
    statistics.samplingSeconds += samplingSeconds
    let otherSeconds = watch.lap()
    statistics.decodeSeconds += verifySeconds + samplingSeconds + otherSeconds
    tracer?.observe(
      TokenTree(root: anchor), path: [0], accepted: 0, tokens: sequence.tokens,
      seconds: .init(verify: verifySeconds, sampling: samplingSeconds, other: otherSeconds),
      logits: { UnsafePointer(target.logits($0)) })
  }
}
