import Drafter
import Files
import Foundation
import Speculate
import TestSupport
import Testing
import Text
import Verifier

/// Answers of many requests together are those of each alone, to the bit.
@Suite(.serialized) struct BatchGeneratorTests {
  @Test(arguments: BatchCase.settings.indices) func answersEqualEachAlone(_ index: Int) async throws
  {
    let setting = BatchCase.settings[index]
    let generator = try setting.generator()
    let alone = try setting.textGenerator()
    for seed in 1...3 {
      let cases = BatchCase.mix(24, seed: UInt64(seed))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for one in cases { group.addTask { try await one.check(generator, against: alone) } }
        try await group.waitForAll()
      }
    }
    await generator.drain()
    let metrics = generator.metrics
    #expect(metrics.running == 0 && metrics.waiting == 0 && metrics.failed == 0)
    #expect(metrics.acceptedTokens > 0 && metrics.acceptedTokens < metrics.draftTokens)
    #expect(metrics.acceptedByPlace.reduce(0, +) == metrics.acceptedTokens)
    #expect(metrics.finished.values.reduce(0, +) == 72)
    #expect((metrics.prefixHits > 0) == setting.settings.cachesPrefixes)
    #expect(metrics.keyValueBytes == metrics.prefixCacheBytes)
    #expect(metrics.requestSeconds.count == 72)
    if setting.settings.keyValueMemory != nil { #expect(metrics.preemptions > 0) }
    #expect(throws: SubmissionError.draining) {
      try generator.submit(BatchRequest(prompt: [1]))
    }
  }

  static let drafters: [DrafterModel?] = [
    nil, .block(TinyModels.drafter(blockSize: 8)),
    .block(TinyModels.drafter(blockSize: 5, kind: .tokens)),
    .causal(CausalModel(random: TinyModels.configuration, seed: 9)),
  ]

  /// All that a request delivers.
  static func events(
    _ request: BatchRequest, _ generator: BatchGenerator
  ) async throws -> (tokens: [BatchToken], result: BatchResult?, prompt: [TokenScores?]) {
    var tokens: [BatchToken] = []
    var result: BatchResult?
    var prompt: [TokenScores?] = []
    for try await event in try generator.submit(request) {
      switch event {
      case .prompt(let scores): prompt = scores
      case .token(let token): tokens.append(token)
      case .finished(let end): result = end
      }
    }
    return (tokens, result, prompt)
  }

  /// Keys and values that were copied are those that would have been computed, the drafter's too.
  @Test(arguments: drafters.indices) func copiesEqualWhatIsComputed(_ index: Int) async throws {
    let setting = BatchCase.Setting(
      threads: 1, drafter: Self.drafters[index], settings: BatchSettings(maximumSequences: 4))
    var computing = setting
    computing.settings.cachesPrefixes = false
    let (copies, computes) = try (setting.generator(), computing.generator())
    let texts = BatchCase.mix(8, seed: 4).map(\.request.prompt).filter { $0.count > 64 }
    #expect(texts.count >= 5)
    for (place, text) in (texts + texts).enumerated() {
      for (kind, mode) in [DecodingMode.plain, .speculative(drafts: 3)].enumerated() {
        // Something is left to read, as without copies.
        let request = BatchRequest(
          prompt: text + [Token(2 * place + kind), Token(kind)],
          parameters: GenerationParameters(
            sampling: SamplingParameters(temperature: 1, seed: 3), maximumTokens: 20,
            ignoresEnd: true),
          mode: mode, scores: 5)
        let (one, other) = (
          try await Self.events(request, copies), try await Self.events(request, computes)
        )
        #expect(one.tokens == other.tokens)
        let (copied, computed) = (try #require(one.result), try #require(other.result))
        #expect(computed.cachedPromptTokens == 0)
        // The drafter's part is there once a request has drafted.
        if place >= texts.count {
          #expect(copied.cachedPromptTokens == text.count)
        }
        let (a, b) = (copied.output.statistics, computed.output.statistics)
        #expect(a.acceptedByPlace == b.acceptedByPlace && a.verifiedTokens == b.verifiedTokens)
        #expect(a.draftPasses == b.draftPasses)
      }
    }
    #expect(copies.metrics.prefixHits > 0 && computes.metrics.prefixQueries == 0)
  }

  /// Log-probabilities are those of the raw rows, and the same whatever drafted.
  @Test func scoresAreOfTheRowsThatChose() async throws {
    let setting = BatchCase.settings[0]
    let generator = try setting.generator()
    let prompt = TinyModels.prompts(9)[8]
    let sampling = SamplingParameters(
      temperature: 0.6, topK: 3, presencePenalty: 1, logitBias: [4: 3], seed: 8)
    var request = BatchRequest(
      prompt: prompt, parameters: GenerationParameters(sampling: sampling, maximumTokens: 30),
      mode: .plain, scores: 20)
    let plain = try await Self.events(request, generator)
    request.mode = .speculative(drafts: 5)
    let drafted = try await Self.events(request, generator)
    #expect(plain.tokens.map(\.scores) == drafted.tokens.map(\.scores))
    #expect(drafted.result?.output.statistics.acceptedTokens ?? 0 > 0)
    #expect(
      drafted.tokens.count { $0.origin != nil } == drafted.result?.output.statistics.acceptedTokens)

    let runner = TinyModels.runner(threads: 1)
    let text = prompt + plain.tokens.map(\.id)
    let expected = try Self.logProbabilities(of: text, runner)
    for (place, token) in plain.tokens.enumerated() {
      let row = expected[prompt.count + place - 1]
      let scores = try #require(token.scores)
      #expect(abs(Double(scores.logProbability) - row[Int(token.id)]) < 1e-5)
      let best = row.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }.prefix(20)
      #expect(scores.top.count == 20)
      for (one, column) in zip(scores.top, best) {
        #expect(abs(Double(one.logProbability) - row[column]) < 1e-5)
      }
    }

    // The same for a prompt, without an output, as harnesses ask for log-likelihoods.
    let scored = try await Self.events(
      BatchRequest(prompt: text, promptScores: 3, generates: false), generator)
    #expect(scored.tokens.isEmpty && scored.result?.output.finishReason == .length)
    #expect(scored.prompt.count == text.count && scored.prompt[0] == nil)
    for (place, scores) in scored.prompt.enumerated().dropFirst() {
      let value = try #require(scores)
      #expect(abs(Double(value.logProbability) - expected[place - 1][Int(text[place])]) < 1e-5)
      #expect(value.top.count == 3)
    }
    let offset = prompt.count
    #expect(
      scored.prompt.dropFirst(offset).map { $0?.logProbability }
        == plain.tokens.map { $0.scores?.logProbability })
  }

  /// The logarithm of the softmax of every row, in double precision.
  private static func logProbabilities(
    of text: [Token], _ runner: CausalRunner
  ) throws -> [[Double]] {
    var rows: [[Double]] = []
    let vocabulary = TinyModels.vocabulary
    runner.read(text, into: try runner.makeCache(capacity: 160), logits: .all) { piece in
      for row in 0..<piece.count {
        rows.append((0..<vocabulary).map { Double(runner.logits[row * vocabulary + $0]) })
      }
      return true
    }
    return rows.map { row in
      let top = row.max() ?? 0
      let total = row.reduce(0) { $0 + exp($1 - top) }
      return row.map { $0 - top - log(total) }
    }
  }

  @Test func aPredictionIsAFreeDraft() async throws {
    let generator = try BatchCase.settings[3].generator()
    var request = BatchRequest(
      prompt: TinyModels.prompts(4)[3],
      parameters: GenerationParameters(
        sampling: SamplingParameters(temperature: 1, seed: 2), maximumTokens: 60,
        ignoresEnd: true),
      mode: .speculative(drafts: 8))
    let without = try await Self.events(request, generator)
    request.prediction = without.tokens.map(\.id)
    let with = try await Self.events(request, generator)
    #expect(with.tokens.map(\.id) == request.prediction)
    let statistics = try #require(with.result).output.statistics
    #expect(statistics.suffixTokens > 40)
    #expect(with.tokens.count { $0.origin == .suffix } == statistics.suffixTokens)
    request.prediction.reverse()
    #expect(try await Self.events(request, generator).tokens.map(\.id) == without.tokens.map(\.id))
  }
}
