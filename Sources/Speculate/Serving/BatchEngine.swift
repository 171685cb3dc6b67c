import Files
import Tensors
import Verifier

/// Which requests take part in rounds, and their rounds. Used by one thread at a time.
///
/// Requests are admitted in the order in which they came, as soon as there is a place and memory for them. One
/// that needs much memory is passed by others for a bounded number of rounds only.
final class BatchEngine {
  let limits: BatchLimits
  var metrics = BatchMetrics()
  /// Whether nothing can be done until something arrives or a reader reads.
  private(set) var isIdle = true

  let settings: BatchSettings
  let runner: CausalRunner
  let loop: DecodingLoop
  private var strategies: StrategyMaker
  private let vocabulary: ConstraintVocabulary
  private var constraints = ConstraintCache()
  var memory: BatchMemory
  /// Those that gave their memory back stand in front.
  var waiting: [BatchSequence] = []
  /// In the order in which they were admitted.
  var running: [BatchSequence] = []
  /// Makes run states of the drafter; `nil` without one.
  private let makeSource: ((_ capacity: Int) throws -> any DraftSource)?
  /// Those that no sequence uses.
  private var sources: [any DraftSource] = []
  private var ended = 0

  /// Rounds in which others may pass a request for which there is no memory.
  static let mostPassed = 64

  init(
    _ text: TextModel, settings: BatchSettings, cacheFormat: KeyValueFormat, threads: Int,
    costCache: CostModelCache?, cost: CostModel?
  ) throws {
    try Workers.check(threads)
    let (model, drafter, tokens) = (text.model, text.drafter, text.tokenizer.vocabularySize)
    try drafter?.checkFit(model.configuration, tokens: tokens)
    vocabulary = text.vocabulary
    let workers = Workers(count: threads)
    runner = CausalRunner(
      model: model, workers: workers, maximumRows: settings.passRows, taps: drafter?.taps ?? [],
      cacheFormat: cacheFormat)
    makeSource = try drafter?.sourceMaker(
      settings.maximumSequences, target: model, workers: workers, tokens: tokens)
    let source = try makeSource?(model.configuration.maximumContext)
    sources = source.map { [$0] } ?? []
    let block = KeyValueCache.block
    memory = try BatchMemory(
      settings,
      positionBytes: (runner.makeCache(capacity: 1).bytes(block)
        + (source?.cache?.bytes(block) ?? 0))
        / block)
    limits = BatchLimits(
      context: min(model.configuration.maximumContext, memory.capacity),
      vocabulary: model.configuration.vocabularySize)
    let cost =
      try cost
      ?? CostModel.current(
        runner: runner, drafter: drafter, source: source, cache: costCache,
        rows: runner.maximumRows)
    strategies = StrategyMaker(
      runner: runner, drafter: drafter, tokenizer: text.tokenizer, costCache: costCache, cost: cost)
    loop = DecodingLoop(
      runner: runner,
      prefill: PrefillBudget(times: cost.verify, stretch: settings.prefillStretch))
    self.settings = settings
    metrics.keyValueBudget = memory.budget
  }

  var isEmpty: Bool { waiting.isEmpty && running.isEmpty }

  func receive(_ arrived: [BatchSequence]) { waiting += arrived }

  /// How many requests ended since this was asked last.
  func takeEnded() -> Int {
    defer { ended = 0 }
    return ended
  }

  func cancelAll() {
    for sequence in running { sequence.run?.finish(.cancelled) }
    for sequence in waiting { drop(sequence) }
    waiting.removeAll()
  }

  /// Admits requests and runs one round.
  func step() {
    let watch = Stopwatch()
    let before = loop.seconds.total
    waiting.removeAll { sequence in
      guard sequence.channel.isCancelled else { return false }
      drop(sequence)
      return true
    }
    admit()
    for sequence in running { sequence.checkReader() }
    makePlaces()
    growCaches()
    takePrefixes()
    isIdle = running.allSatisfy { $0.isStuck }
    // Whoever failed leaves below; the others go on in the next round.
    if !isIdle { try? loop.round() }
    metrics.rounds += isIdle ? 0 : 1
    running.removeAll { sequence in
      sequence.deliver(&metrics)
      guard let run = sequence.run else { return false }
      keepPrefix(of: run, sequence)
      guard run.hasEnded else { return false }
      leave(sequence, run)
      return true
    }
    memory.trim(isIdle: isIdle)
    metrics.draftRounds = loop.draftRounds
    metrics.roundSeconds = loop.seconds
    if !isIdle { metrics.betweenSeconds += watch.elapsed - (loop.seconds.total - before) }
    metrics.running = running.count
    let parked = waiting.count { $0.isParked }
    metrics.paused = parked + running.count { $0.run?.isPaused ?? false }
    metrics.waiting = waiting.count - parked
    metrics.keyValueBytes = memory.bytes
    metrics.prefixCacheBytes = memory.prefixes?.bytes ?? 0
  }

  // MARK: Coming and going

  /// Admits those that wait, the first of them first.
  func admit() {
    var passed = 0
    while running.count < settings.maximumSequences, passed < waiting.count {
      let sequence = waiting[passed]
      guard sequence.isReady else {
        passed += 1
        continue
      }
      let positions = positions(of: sequence)
      guard memory.take(positions) else {
        sequence.passed += 1
        // From now on nobody passes it.
        if sequence.passed > Self.mostPassed { return }
        passed += 1
        continue
      }
      waiting.remove(at: passed)
      do {
        try begin(sequence, positions)
        running.append(sequence)
      } catch {
        memory.give(positions)
        drop(sequence, throwing: error as? SpeculateError ?? SpeculateError("\(error)"))
      }
    }
  }

  /// How many tokens a request asks for, those of its prompt among them.
  private func length(of request: BatchRequest) -> Int {
    let (sum, overflow) = request.prompt.count.addingReportingOverflow(
      request.generates ? request.parameters.maximumTokens : 1)
    return overflow ? .max : sum
  }

  /// The most tokens that it gets.
  private func capacity(of request: BatchRequest) -> Int {
    min(length(of: request), limits.context)
  }

  private func makeCache(for request: BatchRequest, room: Int) throws -> KeyValueCache {
    let cache = try runner.makeCache(capacity: capacity(of: request), room: room)
    // How a text is rotated may depend on how long it was to become.
    try cache.reset(reaching: length(of: request))
    return cache
  }

  /// Positions that a request is admitted with.
  private func positions(of sequence: BatchSequence) -> Int {
    let tokens = sequence.run?.sequence.tokens.count ?? sequence.request.prompt.count
    return KeyValueCache.roundedUp(
      min(tokens + settings.outputReserve + runner.maximumRows, capacity(of: sequence.request)))
  }

  private func begin(_ sequence: BatchSequence, _ positions: Int) throws {
    let request = sequence.request
    var source: (any DraftSource)?
    let strategy = try strategies.strategy(
      request.mode, request.parameters, prediction: request.prediction
    ) {
      source = try sources.popLast() ?? makeSource?(runner.model.configuration.maximumContext)
      return source
    }
    if let run = sequence.run {
      run.restart(in: try makeCache(for: request, room: positions), strategy: strategy)
      sequence.resume(source: source)
      return loop.add(run)
    }
    var parameters = request.parameters
    // No token is chosen, because it ends behind its prompt.
    if !request.generates { parameters.maximumTokens = 1 }
    let channel = sequence.channel
    let run = try SequenceRun(
      runner: runner,
      cache: makeCache(for: request, room: positions),
      prompt: request.prompt, parameters: parameters, strategy: strategy,
      grammar: parameters.constraint.map { try constraints.grammar(of: $0, self.vocabulary) },
      isCancelled: { channel.isCancelled })
    let vocabulary = limits.vocabulary
    run.scorer = request.scores.map { RowScorer(vocabulary: vocabulary, count: $0) }
    run.promptScorer = request.promptScores.map { RowScorer(vocabulary: vocabulary, count: $0) }
    run.endsBehindPrompt = !request.generates
    sequence.begin(run, source: source, &metrics)
    loop.add(run)
    if memory.prefixes != nil, request.promptScores == nil {
      metrics.prefixQueries += request.prompt.count
    }
  }

  /// Gives back what a sequence used, and ends its events.
  private func leave(_ sequence: BatchSequence, _ run: SequenceRun) {
    release(sequence, run)
    drop(sequence, throwing: run.sequence.failure)
  }

  /// Gives back memory and the drafter's run state, and keeps what was learned.
  func release(_ sequence: BatchSequence, _ run: SequenceRun) {
    strategies.learn(from: run.strategy)
    memory.give(run.cache.room)
    if let source = sequence.takeSource() { sources.append(source) }
  }

  func drop(_ sequence: BatchSequence, throwing failure: SpeculateError? = nil) {
    sequence.finish(throwing: failure, &metrics)
    ended += 1
  }
}
