import Files
import Tensors
import Verifier

/// Which requests take part in rounds, and their rounds. Used by one thread at a time.
final class BatchEngine {
  let limits: BatchLimits
  private(set) var metrics = BatchMetrics()

  private let settings: BatchSettings
  private let runner: CausalRunner
  private let loop: DecodingLoop
  private var strategies: StrategyMaker
  private var waiting: [BatchSequence] = []
  private var running: [BatchSequence] = []
  /// Run states of the drafter that no sequence uses.
  private var sources: [any DraftSource] = []
  private var ended = 0

  init(
    _ text: TextModel, settings: BatchSettings, cacheFormat: KeyValueFormat, threads: Int,
    costCache: CostModelCache?, cost: CostModel?
  ) throws {
    try Workers.check(threads)
    let (model, drafter) = (text.model, text.drafter)
    try drafter?.checkFit(model.configuration, tokens: text.tokenizer.vocabularySize)
    let workers = Workers(count: threads)
    runner = CausalRunner(
      model: model, workers: workers, maximumRows: settings.passRows, taps: drafter?.taps ?? [],
      cacheFormat: cacheFormat)
    limits = BatchLimits(
      context: model.configuration.maximumContext, vocabulary: model.configuration.vocabularySize)
    sources =
      try drafter?.makeSources(
        settings.maximumSequences, target: model, workers: workers, capacity: limits.context,
        tokens: text.tokenizer.vocabularySize) ?? []
    let measured =
      try cost
      ?? CostModel.current(
        runner: runner, drafter: drafter, source: sources.first, cache: costCache)
    strategies = StrategyMaker(
      runner: runner, drafter: drafter, costCache: costCache, cost: measured)
    loop = DecodingLoop(runner: runner)
    self.settings = settings
  }

  /// Whether nothing can be done until something arrives or a reader reads.
  var isIdle: Bool { waiting.isEmpty && running.isEmpty }

  var isEmpty: Bool { waiting.isEmpty && running.isEmpty }

  func receive(_ arrived: [BatchSequence]) { waiting += arrived }

  /// How many requests ended since this was asked last.
  func takeEnded() -> Int {
    defer { ended = 0 }
    return ended
  }

  func cancelAll() {
    for sequence in running { sequence.run?.finish(.cancelled) }
    for sequence in waiting { finish(sequence) }
    waiting.removeAll()
  }

  /// Admits requests and runs one round.
  func step() {
    waiting.removeAll { sequence in
      guard sequence.channel.isCancelled else { return false }
      finish(sequence)
      return true
    }
    admit()
    // Whoever failed is finished below; the others go on in the next round.
    try? loop.round()
    metrics.rounds += running.isEmpty ? 0 : 1
    running.removeAll { sequence in
      sequence.deliver(&metrics)
      guard let run = sequence.run, run.hasEnded else { return false }
      leave(sequence, run)
      return true
    }
    metrics.running = running.count
    metrics.waiting = waiting.count
  }

  private func admit() {
    while running.count < settings.maximumSequences, !waiting.isEmpty {
      let sequence = waiting.removeFirst()
      do {
        try begin(sequence)
        running.append(sequence)
      } catch {
        finish(sequence, throwing: error as? SpeculateError ?? SpeculateError("\(error)"))
      }
    }
  }

  private func begin(_ sequence: BatchSequence) throws {
    let request = sequence.request
    let capacity = min(
      request.prompt.count + min(request.parameters.maximumTokens, limits.context), limits.context)
    let source = sources.popLast()
    var parameters = request.parameters
    // No token is chosen, because it ends behind its prompt.
    if !request.generates { parameters.maximumTokens = 1 }
    let strategy = try strategies.strategy(
      request.mode, parameters.sampling, prediction: request.prediction, source: { source })
    let run = try SequenceRun(
      runner: runner, cache: runner.makeCache(capacity: capacity, room: 1), prompt: request.prompt,
      parameters: parameters, strategy: strategy,
      isCancelled: { [channel = sequence.channel] in channel.isCancelled })
    let vocabulary = limits.vocabulary
    run.scorer = request.scores.map { RowScorer(vocabulary: vocabulary, count: $0) }
    run.promptScorer = request.promptScores.map { RowScorer(vocabulary: vocabulary, count: $0) }
    run.endsBehindPrompt = !request.generates
    sequence.begin(run, source: source, &metrics)
    loop.add(run)
  }

  /// Gives back what a sequence used, and ends its events.
  private func leave(_ sequence: BatchSequence, _ run: SequenceRun) {
    strategies.learn(from: run.strategy)
    if let source = sequence.source { sources.append(source) }
    finish(sequence, throwing: run.sequence.failure)
  }

  private func finish(_ sequence: BatchSequence, throwing failure: SpeculateError? = nil) {
    sequence.finish(throwing: failure, &metrics)
    ended += 1
  }
}
