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
  private var length: AdaptiveDraftLength?
  private var jacobi: JacobiPolicy?
  private let costCache: CostModelCache?
  /// How many tokens the tokenizer has; ids beyond them are never drafted.
  private let tokens: Int?

  /// Rows of a pass during prefill: enough that weights are read rarely.
  private static let prefillRows = 64

  init(
    model: CausalModel, drafter: DrafterModel?, tokens: Int?, threads: Int,
    cacheFormat: KeyValueFormat, costCache: CostModelCache?
  ) throws {
    try drafter?.checkFit(model.configuration, tokens: tokens)
    self.tokens = tokens
    self.model = model
    self.drafter = drafter
    self.costCache = costCache
    workers = Workers(count: threads)
    runner = CausalRunner(
      model: model, workers: workers,
      maximumRows: max(Self.prefillRows, (drafter?.maximumDrafts ?? 0) + 1),
      taps: drafter?.taps ?? [], cacheFormat: cacheFormat)
  }

  /// Prepares a decoder. Any decoder made before is void.
  func makeDecoder(
    prompt: [Token], parameters: GenerationParameters, mode: DecodingMode,
    observer: (any RoundObserver)?, isCancelled: @escaping () -> Bool
  ) throws -> Decoder {
    try parameters.validated()
    let (most, overflow) = prompt.count.addingReportingOverflow(parameters.maximumTokens)
    let cache = try emptyCache(reaching: overflow ? .max : most)
    let decoder = try Decoder(
      runner: runner, cache: cache, prompt: prompt, parameters: parameters,
      strategy: strategy(mode, parameters.sampling), isCancelled: isCancelled)
    decoder.observer = observer
    return decoder
  }

  private func strategy(
    _ mode: DecodingMode, _ sampling: SamplingParameters
  ) throws -> any RoundStrategy {
    switch mode {
    case .plain: return PlainStrategy()
    case .jacobi(let options): return try JacobiStrategy(options: options, policy: jacobiPolicy())
    case .speculative(let drafts, let choice, let freeDrafts, let branches):
      let free = freeDrafts ?? FreeDraftOptions(suffix: drafter == nil || drafts == nil)
      guard drafter != nil || !free.isEmpty else { return PlainStrategy() }
      if let drafts, drafts < 1 {
        throw SpeculateError("draft length \(drafts) is out of range: use 1 or more")
      }
      if let branches, branches < 0 || branches > 0 && drafts != nil {
        throw SpeculateError(
          "branches \(branches) can't be: use 0 or more, and none with a number of drafts")
      }
      let source = try draftSource()
      return DraftStrategy(
        source: source,
        length: try drafts.map(DraftLength.fixed) ?? .adaptive(adaptiveLength(source)),
        choice: choice ?? .automatic(sampling), branches: branches ?? DraftStrategy.usualBranches,
        free: free)
    }
  }

  func measureCost(context: Int, budget: Double) throws -> CostModel {
    try CostModel.measure(
      runner: runner, source: draftSource(), context: context, budget: budget)
  }

  /// Keeps what a finished decoder learned about speed for the next generation.
  func retire(_ decoder: Decoder) {
    if let learned = (decoder.strategy as? DraftStrategy)?.learnedLength { length = learned }
    if let learned = (decoder.strategy as? JacobiStrategy)?.policy { jacobi = learned }
  }

  /// The cache of all generations, which grows with the longest of them.
  ///
  /// - Parameter positions: How many the next one gets at most.
  private func emptyCache(reaching positions: Int) throws -> KeyValueCache {
    let made = try cache ?? runner.makeCache(capacity: model.configuration.maximumContext, room: 1)
    try made.reset(reaching: positions)
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

  private func jacobiPolicy() throws -> JacobiPolicy {
    let made = try jacobi ?? JacobiPolicy(cost(nil).verify, maximumRows: runner.maximumRows)
    jacobi = made
    return made
  }

  private func adaptiveLength(_ source: (any DraftSource)?) throws -> AdaptiveDraftLength {
    let made = try length ?? AdaptiveDraftLength(cost(source))
    length = made
    return made
  }

  private func cost(_ source: (any DraftSource)?) throws -> CostModel {
    try CostModel.current(
      runner: runner, drafter: source == nil ? nil : drafter, source: source, cache: costCache)
  }
}
