import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Token and block verification where models draft and decode.
@Suite struct VerificationTests {
  static let rules: [Verification] = [.token, .block]

  private static func parameters(
    _ rule: Verification, seed: UInt64, temperature: Float = 1, maximumTokens: Int = 30,
    repetitionPenalty: Float = 1
  ) -> GenerationParameters {
    GenerationParameters(
      sampling: SamplingParameters(
        temperature: temperature, topK: 20, repetitionPenalty: repetitionPenalty, seed: seed),
      maximumTokens: maximumTokens, ignoresEnd: true, verification: rule)
  }

  /// A drafter that agrees with the target often: the target itself, one pass a draft.
  private static func source(_ runner: CausalRunner) throws -> any DraftSource {
    try DrafterModel.causal(TinyModels.target).makeSource(
      target: runner.model, workers: runner.workers,
      capacity: TinyModels.configuration.maximumContext)
  }

  private static func decode(
    _ prompt: [Token], _ parameters: GenerationParameters, runner: CausalRunner,
    source: (any DraftSource)?, length: DraftLength = .fixed(5), choice: DraftChoice = .sampled,
    free: FreeDraftOptions = .none, observer: (any RoundObserver)? = nil
  ) throws -> (ids: [Token], statistics: GenerationStatistics) {
    let decoder = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: TinyModels.configuration.maximumContext),
      prompt: prompt, parameters: parameters,
      strategy: DraftStrategy(
        source: source, length: length, choice: choice, branches: 2, free: free))
    decoder.observer = observer
    let ids = Array(decoder)
    #expect(decoder.failure == nil)
    return (ids, decoder.statistics)
  }

  @Test(arguments: rules) func `at temperature 0 every rule is the same`(rule: Verification) throws
  {
    let runner = TinyModels.runner(threads: 1)
    let source = try Self.source(runner)
    for prompt in TinyModels.prompts(6) {
      let parameters = Self.parameters(rule, seed: 1, temperature: 0)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      #expect(try Self.decode(prompt, parameters, runner: runner, source: source).ids == plain.ids)
    }
  }

  /// Drafts of the target's own distribution are nearly all accepted, and the same seed gives the same output.
  @Test(arguments: rules) func `drafts of the same distribution stay`(rule: Verification) throws {
    let runner = TinyModels.runner(threads: 2)
    let source = try Self.source(runner)
    var sum = GenerationStatistics()
    for (index, prompt) in TinyModels.prompts(8).enumerated() {
      let parameters = Self.parameters(
        rule, seed: UInt64(index), repetitionPenalty: index % 2 == 0 ? 1 : 1.3)
      let one = try Self.decode(prompt, parameters, runner: runner, source: source)
      let two = try Self.decode(prompt, parameters, runner: runner, source: source)
      #expect(one.ids == two.ids && one.ids.count == 30)
      sum += one.statistics
    }
    #expect(sum.acceptanceRate > 0.99 && sum.tau > 4, "\(sum.acceptanceRate)")
  }

  /// Whoever drafts, the distribution of the second token is the target's.
  @Test(arguments: rules, [true, false])
  func `the second token has the target's distribution`(rule: Verification, drawn: Bool) throws {
    let prompt: [Token] = [5, 6, 7, 8]
    let drafter = TinyModels.drafter(blockSize: 4)
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    let source = try BlockDraftSource(
      drafter: drafter, target: runner.model, workers: runner.workers,
      capacity: TinyModels.configuration.maximumContext)
    let vocabulary = TinyModels.vocabulary
    func distribution(behind text: [Token]) throws -> [Double] {
      runner.read(text[...], into: try runner.makeCache(capacity: 16), logits: .last)
      var processor = LogitProcessor(Self.parameters(rule, seed: 0).sampling)
      processor.process(
        UnsafeMutableBufferPointer(start: runner.logits, count: vocabulary),
        context: TokenPresence(vocabulary: vocabulary))
      Kernels.softmax(runner.logits, count: vocabulary)
      return (0..<vocabulary).map { Double(runner.logits[$0]) }
    }
    var expected = [Double](repeating: 0, count: vocabulary)
    for (token, chance) in try distribution(behind: prompt).enumerated() where chance > 0 {
      for (next, share) in try distribution(behind: prompt + [Token(token)]).enumerated() {
        expected[next] += chance * share
      }
    }
    var counts = [Int](repeating: 0, count: vocabulary)
    var accepted = 0
    for seed in 0..<fuzzRounds(1500) {
      let (ids, statistics) = try Self.decode(
        prompt, Self.parameters(rule, seed: UInt64(seed), maximumTokens: 4), runner: runner,
        source: source, length: .fixed(3), choice: drawn ? .sampled : .argmax)
      counts[Int(ids[1])] += 1
      accepted += statistics.acceptedTokens
    }
    let statistic = ChiSquare.statistic(counts, expected)
    #expect(statistic.value < ChiSquare.critical(statistic.freedom), "\(statistic)")
    #expect(accepted > 0)
  }

  private final class Rounds: RoundObserver {
    var rounds: [RoundRecord] = []
    func observe(_ round: RoundRecord) { rounds.append(round) }
  }

  /// Which drafts are verified depends on nothing that they or later ones say: all that were asked for are, in a chain.
  @Test(arguments: rules) func `all drafts that were asked for are verified`(rule: Verification)
    throws
  {
    let runner = TinyModels.runner(threads: 1)
    let source = try Self.source(runner)
    var drafted: Set<Int> = []
    for (index, prompt) in TinyModels.prompts(6).enumerated() {
      let observer = Rounds()
      _ = try Self.decode(
        prompt, Self.parameters(rule, seed: UInt64(index)), runner: runner, source: source,
        length: .adaptive(AdaptiveDraftLength(CostModelTests.model)),
        free: FreeDraftOptions(suffix: true), observer: observer)
      for round in observer.rounds {
        #expect(round.inconsistency == nil && round.parents.isEmpty)
        if round.passDrafts > 0 { #expect(round.drafts.count == round.passDrafts) }
        drafted.insert(round.passDrafts)
      }
    }
    #expect(drafted.count > 1)
  }

  /// Matches in earlier text were not drawn of anything, and are verified as they are.
  @Test(arguments: rules) func `matches in earlier text are verified`(rule: Verification) throws {
    let runner = TinyModels.runner(threads: 1)
    let prompt = Array(repeating: [1, 2, 3, 4, 5, 6, 7, 8] as [Token], count: 4).flatMap { $0 }
    let (ids, statistics) = try Self.decode(
      prompt, Self.parameters(rule, seed: 3), runner: runner, source: nil, length: .fixed(8),
      free: FreeDraftOptions(suffix: true))
    #expect(ids.count == 30 && statistics.verifiedTokens > 0)
  }

  /// Sequences that share passes get the tokens of passes of their own.
  @Test(arguments: rules) func `sequences decoded together are each as alone`(rule: Verification)
    throws
  {
    let prompts = TinyModels.prompts(3)
    let context = TinyModels.configuration.maximumContext
    func run(_ indices: [Int]) throws -> [[Token]] {
      let runner = TinyModels.runner(threads: 2)
      let sources = try DrafterModel.causal(TinyModels.target).makeSources(
        indices.count, target: runner.model, workers: runner.workers, capacity: context)
      let loop = DecodingLoop(runner: runner)
      let runs = try zip(indices, sources).map { index, source in
        try SequenceRun(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompts[index],
          parameters: Self.parameters(rule, seed: UInt64(index)),
          strategy: DraftStrategy(source: source, length: .fixed(4), choice: .sampled),
          isCancelled: { false })
      }
      for run in runs { loop.add(run) }
      while !loop.runs.isEmpty { try loop.round() }
      return runs.map { run in
        var ids: [Token] = []
        while let token = run.take() { ids.append(token) }
        return ids
      }
    }
    let together = try run([0, 1, 2])
    for index in 0..<3 { #expect(try run([index]) == [together[index]]) }
  }

  @Test(arguments: [
    (
      DecodingMode.jacobi(),
      "verification token has no use for Jacobi decoding: use match, or drafts"
    ),
    (
      .speculative(choice: .coupled),
      "verification token draws with numbers of its own, which drafts can't be coupled to: leave "
        + "‘draft choice’ out, or use match"
    ),
    (
      .speculative(branches: 2),
      "verification token is exact for chains, but branches 2 make a tree: use 0, or match"
    ),
    (
      .speculative(free: FreeDraftOptions(suffix: true, recycling: true)),
      "verification token can't take drafts that verification threw away: leave recycling out, or use "
        + "match"
    ),
  ])
  func `what a rule has no use for is named`(mode: DecodingMode, complaint: String) throws {
    let error = #expect(throws: SpeculateError.self) {
      try Self.parameters(.token, seed: 1).check(mode)
    }
    #expect(error?.description == complaint)
    try Self.parameters(.match, seed: 1).check(mode)
    try Self.parameters(.token, seed: 1, temperature: 0).check(mode)
  }

  @Test func `penalties that the block rule can't know are named`() throws {
    var parameters = Self.parameters(.block, seed: 1)
    parameters.sampling.presencePenalty = 1
    #expect(throws: SpeculateError.self) { try parameters.check(.speculative()) }
    parameters.verification = .token
    try parameters.check(.speculative())
    #expect(DraftChoice.automatic(parameters.sampling, .token) == .sampled)
    #expect(DraftChoice.automatic(.greedy, .block) == .argmax)
  }
}
