import Drafter
import Files
import Speculate
import TestSupport
import Testing
import Text
import Verifier

/// What is taken of earlier prompts, counted in rows and passes.
@Suite(.serialized) struct PrefixCacheTests {
  private static let long = {
    var configuration = TinyModels.configuration
    configuration.maximumContext = 1200
    return configuration
  }()

  /// A drafter that reads the target's features, or none.
  private static let drafters: [DrafterModel?] = [
    nil,
    .block(
      BlockDrafter(
        random: DrafterConfiguration(
          blockSize: 8, maskToken: 60, targetLayers: [0, 1], targetLayerCount: 2,
          vocabularySize: TinyModels.vocabulary, layerCount: 1, shape: long.layerShape,
          maximumContext: 1200, kind: .conditioned, ownsEmbedding: false), seed: 2)),
  ]

  private static func tokens(_ count: Int, seed: UInt64) -> [Token] {
    var random = RandomNumbers(seed: seed)
    return (0..<count).map { _ in Token.random(in: 0..<60, using: &random) }
  }

  /// What is told once so many requests have ended.
  private static func metrics(of generator: BatchGenerator, after count: Int) async throws
    -> BatchMetrics
  {
    for _ in 0..<20_000 where generator.metrics.finished.values.reduce(0, +) < count {
      try await Task.sleep(for: .milliseconds(1))
    }
    return generator.metrics
  }

  /// A question behind a thousand tokens that were read before takes one pass, which brings its first token too:
  /// not the sixteen that the thousand took.
  @Test(arguments: drafters.indices) func aKnownBeginningCostsNoRows(_ index: Int) async throws {
    let model = CausalModel(random: Self.long, seed: 1)
    let generator = try BatchGenerator(
      TextModel(model: model, tokenizer: LetterTokenizer(), drafter: Self.drafters[index]),
      settings: BatchSettings(rows: 64), threads: 1, cost: CostModelTests.model)
    let alone = try TextGenerator(model: model, tokenizer: LetterTokenizer(), threads: 1)
    let beginning = Self.tokens(1000, seed: 5)
    let questions = [[1] + Self.tokens(11, seed: 6), [2] + Self.tokens(20, seed: 7)]
    // The same question again has nothing left to read.
    let expected = [
      (questions[0], 1011, 16), (questions[1], 20, 1), (questions[0], 0, 1), (questions[1], 0, 1),
    ]
    for (place, (question, rows, passes)) in expected.enumerated() {
      let before = generator.metrics
      let request = BatchRequest(
        prompt: beginning + question, parameters: GenerationParameters(maximumTokens: 1))
      let (tokens, result, _) = try await BatchGeneratorTests.events(request, generator)
      let after = try await Self.metrics(of: generator, after: place + 1)
      #expect(after.rounds - before.rounds == passes)
      let cached = try #require(result).cachedPromptTokens
      #expect(request.prompt.count - 1 - cached == rows)
      #expect(after.prefixHits - before.prefixHits == cached)
      let own = try alone.generate(
        tokens: request.prompt, parameters: request.parameters, mode: .plain)
      #expect(tokens.map(\.id) == own.tokens)
    }
  }

  /// Wherever two texts part, what is taken are the bits that would be computed, and all that they share is.
  @Test(arguments: BatchGeneratorTests.drafters.indices)
  func textsMayPartAnywhere(_ index: Int) async throws {
    let setting = BatchCase.Setting(
      threads: 1, drafter: BatchGeneratorTests.drafters[index],
      settings: BatchSettings(maximumSequences: 2))
    var computing = setting
    computing.settings.cachesPrefixes = false
    let (copies, computes) = try (setting.generator(), computing.generator())
    let base = Self.tokens(140, seed: 8)
    func request(_ prompt: [Token]) -> BatchRequest {
      BatchRequest(
        prompt: prompt,
        parameters: GenerationParameters(
          sampling: SamplingParameters(temperature: 1, seed: 9), maximumTokens: 12,
          ignoresEnd: true),
        mode: .speculative(drafts: 3), scores: 4)
    }
    _ = try await BatchGeneratorTests.events(request(base), copies)
    for count in [1, 2, 15, 16, 17, 31, 48, 63, 64, 65, 79, 80, 100, 127, 128, 129, 139] {
      let own = (base[count] + 1) % 60
      // Some is left to read, and no slice ends where a pass does: either way drafts begin behind the prompt.
      let more = (count + 1 + count % 7) % 64 == 0 ? 2 : 1
      let prompt = base.prefix(count) + [own] + Self.tokens(more + count % 7, seed: UInt64(count))
      let (one, other) = (
        try await BatchGeneratorTests.events(request(prompt), copies),
        try await BatchGeneratorTests.events(request(prompt), computes)
      )
      #expect(one.tokens == other.tokens, "\(count)")
      let (copied, computed) = (try #require(one.result), try #require(other.result))
      #expect(copied.cachedPromptTokens == count)
      let (a, b) = (copied.output.statistics, computed.output.statistics)
      #expect(a.acceptedByPlace == b.acceptedByPlace && a.verifiedTokens == b.verifiedTokens)
    }
  }

  /// What is kept never takes more than the budget, and what goes is computed again.
  @Test func beginningsGiveWay() async throws {
    let setting = BatchCase.Setting(
      threads: 1, drafter: .block(TinyModels.drafter(blockSize: 8)),
      settings: BatchSettings(
        maximumSequences: 2, keyValueMemory: 400 * 384, rows: 24, outputReserve: 8))
    let (generator, alone) = try (setting.generator(), setting.textGenerator())
    var hits = 0
    for round in 0..<40 {
      let text = Self.tokens(20 + round * 37 % 100, seed: UInt64(round % 3))
      let request = BatchRequest(
        prompt: text, parameters: GenerationParameters(maximumTokens: 10, ignoresEnd: true))
      let (tokens, result, _) = try await BatchGeneratorTests.events(request, generator)
      let expected = try alone.generate(
        tokens: text, parameters: request.parameters, mode: .plain)
      #expect(tokens.map(\.id) == expected.tokens)
      hits += try #require(result).cachedPromptTokens
      let metrics = generator.metrics
      #expect(metrics.keyValueBytes <= metrics.keyValueBudget)
    }
    #expect(hits > 0)
  }
}
