import Files
import Text

/// One request on its way: what was asked, where its events go, and how far it is. Once submitted it belongs to
/// the thread that decodes.
final class BatchSequence: @unchecked Sendable {
  // Unchecked: handed from the thread that submits to the one that decodes.

  let request: BatchRequest
  let channel: BatchChannel
  /// Its part of the rounds, once it was admitted.
  private(set) var run: SequenceRun?
  /// The drafter's run state for it.
  private(set) var source: (any DraftSource)?
  /// Tokens of the prompt that an earlier prompt had computed.
  var cachedTokens = 0
  /// Rounds in which others that came later were admitted before it.
  var passed = 0
  /// Whether its prompt was kept for others.
  var hasKeptPrompt = false
  /// Whether nothing was written yet, so that what is read is the prompt.
  var isNew: Bool { tokens.isEmpty }
  /// Rounds for which it has paused since its reader last caught up.
  private(set) var pausedRounds = 0
  /// Whether it gave its place to others because its reader is slow.
  var isParked = false
  /// Whether it may be admitted: one that is parked waits for its reader first.
  var isReady: Bool { !isParked || channel.isDrained }
  /// Whether rounds can do nothing for it until its reader reads.
  var isStuck: Bool {
    guard let run else { return true }
    return run.isPaused && !run.hasEnded && !channel.isCancelled
  }
  private(set) var timings = BatchTimings()

  private let submitted = Stopwatch()
  private var lastToken = 0.0
  private var detokenizer: StreamingDetokenizer
  private var matcher: StopMatcher
  private var text = ""
  private var tokens: [Token] = []
  private var hasToldPrompt = false
  /// What the metrics know of it.
  private var counted = GenerationStatistics()

  init(_ request: BatchRequest, tokenizer: any Tokenizer, channel: BatchChannel) {
    self.request = request
    self.channel = channel
    detokenizer = StreamingDetokenizer(tokenizer, continuing: true)
    matcher = StopMatcher(request.parameters.stopStrings)
  }

  /// Takes its part of the rounds.
  func begin(_ run: SequenceRun, source: (any DraftSource)?, _ metrics: inout BatchMetrics) {
    (self.run, self.source) = (run, source)
    timings.queue = submitted.elapsed
    metrics.queueSeconds.record(timings.queue)
    metrics.promptTokens += request.prompt.count
  }

  /// Takes another drafter's run state, having let go of the one before.
  func resume(source: (any DraftSource)?) {
    (self.source, isParked) = (source, false)
    checkReader()
  }

  /// Notes whether its reader keeps up.
  func checkReader() {
    guard let run else { return }
    run.isPaused = channel.isFull
    if channel.isDrained {
      pausedRounds = 0
    } else if run.isPaused {
      pausedRounds += 1
    }
  }

  /// Lets go of the drafter's run state.
  func takeSource() -> (any DraftSource)? {
    defer { source = nil }
    return source
  }

  /// Sends what the last round brought.
  func deliver(_ metrics: inout BatchMetrics) {
    guard let run else { return }
    var events = tellPrompt(run)
    let before = tokens.count
    var place = 0
    while !matcher.hasStopped, let token = run.take() {
      tokens.append(token)
      let (origin, scores) = run.trace(of: place)
      let piece = matcher.append(detokenizer.append(token)) + ending(run)
      text += piece
      events.append(.token(BatchToken(id: token, text: piece, origin: origin, scores: scores)))
      place += 1
    }
    channel.send(events)
    if matcher.hasStopped { run.stop() }
    recordTimes(tokens.count - before, &metrics)
    metrics.count(run.statistics, since: counted)
    counted = run.statistics
  }

  /// Ends the events.
  func finish(throwing failure: SpeculateError?, _ metrics: inout BatchMetrics) {
    timings.total = submitted.elapsed
    metrics.requestSeconds.record(timings.total)
    if let failure {
      metrics.failed += 1
      return channel.finish(throwing: failure)
    }
    let reason = matcher.hasStopped ? .stopString : run?.finishReason ?? .cancelled
    metrics.finished[reason, default: 0] += 1
    let output = GenerationResult(
      prompt: request.prompt, tokens: tokens, text: text, finishReason: reason,
      statistics: run?.statistics ?? GenerationStatistics())
    channel.send([
      .finished(
        BatchResult(output: output, cachedPromptTokens: cachedTokens, timings: timings))
    ])
    channel.finish()
  }

  /// What is held back until the last token, which a failure leaves unsaid.
  private func ending(_ run: SequenceRun) -> String {
    guard !matcher.hasStopped, run.isTaken, run.finishReason != nil else { return "" }
    return matcher.append(detokenizer.finish()) + matcher.finish()
  }

  private func tellPrompt(_ run: SequenceRun) -> [BatchEvent] {
    guard request.promptScores != nil, !hasToldPrompt,
      run.promptScores.count == request.prompt.count - 1
    else { return [] }
    hasToldPrompt = true
    return [.prompt([nil] + run.promptScores)]
  }

  private func recordTimes(_ count: Int, _ metrics: inout BatchMetrics) {
    guard count > 0 else { return }
    let now = submitted.elapsed
    var rest = count
    if timings.firstToken == nil {
      timings.firstToken = now
      metrics.firstTokenSeconds.record(now)
      rest -= 1
    }
    if rest > 0 {
      metrics.interTokenSeconds.record((now - lastToken) / Double(count), count: rest)
    }
    lastToken = now
  }
}

extension BatchMetrics {
  /// Adds what a sequence did since it was counted last.
  fileprivate mutating func count(_ new: GenerationStatistics, since old: GenerationStatistics) {
    generationTokens += new.emittedTokens - old.emittedTokens
    drafts += new.rounds - new.plainRounds - (old.rounds - old.plainRounds)
    draftTokens += new.verifiedTokens - old.verifiedTokens
    acceptedTokens += new.acceptedTokens - old.acceptedTokens
    acceptedByPlace.add(new.acceptedByPlace)
    for (place, count) in old.acceptedByPlace.enumerated() { acceptedByPlace[place] -= count }
  }
}
