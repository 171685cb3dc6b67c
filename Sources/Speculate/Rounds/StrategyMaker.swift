package import Files
package import Text
import Verifier

/// Makes the strategies of decoding modes, and keeps what they learn about speed for later ones.
struct StrategyMaker {
  private let runner: CausalRunner
  private let drafter: DrafterModel?
  private let costCache: CostModelCache?
  /// What passes cost, where that is known.
  private let cost: CostModel?
  private let tokenizer: any Tokenizer
  private var lineEnds: Set<Token>?
  /// Decides how much all strategies draft.
  private var budget: DraftBudget?
  /// What is known about chances, from earlier runs as well.
  private var experience: DraftExperience?
  private let experienceKey: CostModelCache.ExperienceKey?
  /// Generations since it was stored, and when to store it next.
  private var learned = 0
  private var nextStore = 1
  private var jacobi: JacobiPolicy?

  init(
    runner: CausalRunner, drafter: DrafterModel?, tokenizer: any Tokenizer,
    costCache: CostModelCache?, cost: CostModel? = nil
  ) {
    self.runner = runner
    self.tokenizer = tokenizer
    self.drafter = drafter
    self.costCache = costCache
    self.cost = cost
    experienceKey =
      costCache == nil
      ? nil : CostModelCache.ExperienceKey(target: runner.model.path, drafter: drafter)
  }

  /// Makes the strategy of one sequence.
  ///
  /// - Parameters:
  ///   - source: gives the drafter's run state, asked where the mode drafts; `nil` without a drafter.
  ///   - prediction: what the output will mostly repeat.
  /// - Throws: ``SpeculateError`` for a mode that can't be, or when there is no memory to measure with.
  mutating func strategy(
    _ mode: DecodingMode, _ parameters: GenerationParameters, prediction: [Token] = [],
    source: () throws -> (any DraftSource)?
  ) throws -> any RoundStrategy {
    try mode.validated()
    try parameters.check(mode)
    switch mode {
    case .plain: return PlainStrategy()
    case .jacobi(let options): return try JacobiStrategy(options: options, policy: jacobiPolicy())
    case .speculative(let drafts, let choice, let freeDrafts, let branches, let denoising):
      var free = freeDrafts ?? FreeDraftOptions(suffix: drafter == nil || drafts == nil)
      if !prediction.isEmpty { free.suffix = true }
      guard drafter != nil || !free.isEmpty(isConstrained: parameters.constraint != nil) else {
        return PlainStrategy()
      }
      let source = try source()
      let rule = choice ?? .automatic(parameters.sampling, parameters.verification)
      let way = DraftExperience.Way(parameters, rule)
      let (length, budget) = try draftLength(drafts, source, way)
      // What one pass costs is measured by then.
      try denoise(source, by: denoising, seed: parameters.sampling.seed)
      let strategy = DraftStrategy(
        source: source, length: length, choice: rule,
        branches: branches ?? DraftStrategy.usualBranches,
        free: free, prediction: prediction, budget: budget)
      strategy.way = way
      return strategy
    }
  }

  /// Sets how a source denoises; what is said of one that doesn't is refused.
  private mutating func denoise(
    _ source: (any DraftSource)?, by choice: Denoising?, seed: UInt64
  ) throws {
    try choice?.check(drafter)
    guard let source = source as? BlockDraftSource else { return }
    try source.denoise(by: choice ?? .onePass, seed: seed) { findLineEnds() }
  }

  private mutating func findLineEnds() -> Set<Token> {
    let found = lineEnds ?? tokenizer.lineEnds
    lineEnds = found
    return found
  }

  /// Keeps what a strategy learned about speed.
  mutating func learn(from strategy: any RoundStrategy) {
    if let strategy = strategy as? DraftStrategy, let learned = strategy.learnedLength,
      let way = strategy.way
    {
      keep(learned.chances, of: way)
    }
    if let learned = (strategy as? JacobiStrategy)?.policy { jacobi = learned }
  }

  private mutating func jacobiPolicy() throws -> JacobiPolicy {
    let made = try jacobi ?? JacobiPolicy(measured(nil).verify, maximumRows: runner.maximumRows)
    jacobi = made
    return made
  }

  /// How much is drafted, and who decides it if that isn't fixed.
  private mutating func draftLength(
    _ drafts: Int?, _ source: (any DraftSource)?, _ way: DraftExperience.Way
  ) throws -> (DraftLength, DraftBudget?) {
    if let drafts { return (.fixed(drafts), nil) }
    let budget = try draftBudget(source)
    let length = AdaptiveDraftLength(budget.cost, chances: known()[way] ?? DraftChances())
    return (.adaptive(length), budget)
  }

  private mutating func draftBudget(_ source: (any DraftSource)?) throws -> DraftBudget {
    let made = try budget ?? DraftBudget(measured(source))
    budget = made
    return made
  }

  private mutating func known() -> DraftExperience {
    let known =
      experience ?? experienceKey.flatMap { costCache?.experience(of: $0) } ?? DraftExperience()
    experience = known
    return known
  }

  /// Keeps what was learned, for other runs too, the more seldom the more there is of it.
  private mutating func keep(_ chances: DraftChances, of way: DraftExperience.Way) {
    var known = known()
    known[way] = chances
    experience = known
    learned += 1
    guard let costCache, let experienceKey, learned == nextStore else { return }
    nextStore *= 2
    costCache.store(known, of: experienceKey)
  }

  private func measured(_ source: (any DraftSource)?) throws -> CostModel {
    try cost
      ?? CostModel.current(
        runner: runner, drafter: source == nil ? nil : drafter, source: source, cache: costCache)
  }
}

extension DecodingMode {
  /// - Throws: ``SpeculateError`` naming what is out of range.
  func validated() throws {
    switch self {
    case .plain: break
    case .jacobi(let options): try options.validated()
    case .speculative(let drafts, _, _, let branches, _):
      if let drafts, drafts < 1 {
        throw SpeculateError("draft length \(drafts) is out of range: use 1 or more")
      }
      if let branches, branches < 0 || branches > 0 && drafts != nil {
        throw SpeculateError(
          "branches \(branches) can't be: use 0 or more, and none with a number of drafts")
      }
    }
  }
}

extension Tokenizer {
  /// The tokens whose text holds the end of a line.
  package var lineEnds: Set<Token> {
    Set((0..<Token(vocabularySize)).filter { bytes(of: $0).contains(UInt8(ascii: "\n")) })
  }
}
