import Files
import Tensors
import Verifier

/// The run state of a target and its drafter: threads, buffers, caches and what was learned about
/// their speed. One generation at a time.
final class GenerationEngine {
  private let model: CausalModel
  private let drafter: DrafterModel?
  private let workers: Workers
  private let runner: CausalRunner
  private var cache: KeyValueCache?
  private var source: (any DraftSource)?
  private var strategies: StrategyMaker
  /// How many tokens the tokenizer has; ids beyond them are never drafted.
  private let tokens: Int?
  private let vocabulary: ConstraintVocabulary
  private var constraints = ConstraintCache()

  /// Rows of a pass during prefill: enough that weights are read rarely.
  private static let prefillRows = 64

  init(
    _ text: TextModel, threads: Int, cacheFormat: KeyValueFormat, costCache: CostModelCache?
  ) throws {
    try Workers.check(threads)
    (model, drafter, tokens) = (text.model, text.drafter, text.tokenizer.vocabularySize)
    vocabulary = text.vocabulary
    try drafter?.checkFit(model.configuration, tokens: tokens)
    workers = Workers(count: threads)
    runner = CausalRunner(
      model: model, workers: workers,
      maximumRows: max(Self.prefillRows, (drafter?.maximumDrafts ?? 0) + 1),
      taps: drafter?.taps ?? [], cacheFormat: cacheFormat)
    strategies = StrategyMaker(
      runner: runner, drafter: drafter, tokenizer: text.tokenizer, costCache: costCache)
  }

  /// Prepares a decoder. Any decoder made before is void.
  func makeDecoder(
    prompt: [Token], parameters: GenerationParameters, mode: DecodingMode,
    observer: (any RoundObserver)?, isCancelled: @escaping () -> Bool
  ) throws -> Decoder {
    try parameters.validated()
    let cache = try emptyCache()
    let decoder = try Decoder(
      runner: runner, cache: cache, prompt: prompt, parameters: parameters,
      strategy: strategies.strategy(mode, parameters, source: draftSource),
      grammar: parameters.constraint.map { try constraints.grammar(of: $0, vocabulary) },
      isCancelled: isCancelled)
    decoder.observer = observer
    return decoder
  }

  func measureCost(context: Int, budget: Double) throws -> CostModel {
    try CostModel.measure(
      runner: runner, source: draftSource(), context: context, budget: budget)
  }

  /// Keeps what a finished decoder learned about speed for the next generation.
  func retire(_ decoder: Decoder) { strategies.learn(from: decoder.strategy) }

  /// The cache of all generations, which grows with the longest of them.
  private func emptyCache() throws -> KeyValueCache {
    let made = try cache ?? runner.makeCache(capacity: model.configuration.maximumContext, room: 1)
    made.reset()
    cache = made
    return made
  }

  private func draftSource() throws -> (any DraftSource)? {
    let made =
      try source
      ?? drafter?.makeSource(
        target: model, workers: workers, capacity: model.configuration.maximumContext,
        tokens: tokens)
    source = made
    return made
  }
}

extension Workers {
  /// - Throws: ``SpeculateError`` for a number of threads that can't be.
  static func check(_ threads: Int) throws {
    guard threads >= 1 else {
      throw SpeculateError("threads \(threads) is out of range: use 1 or more")
    }
  }
}
