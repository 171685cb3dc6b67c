import Drafter
import Files
import Speculate
import TestSupport
import Testing
import Text
import Verifier

/// A request of a mix, and how it is compared with its answer alone.
struct BatchCase: Sendable {
  var request: BatchRequest
  /// Tokens after which its reader leaves.
  var leaves: Int?

  struct Setting: Sendable, CustomStringConvertible {
    var threads: Int
    var drafter: DrafterModel?
    var settings: BatchSettings

    var description: String { "\(threads) threads, \(settings)" }

    var text: TextModel {
      TextModel(model: TinyModels.target, tokenizer: LetterTokenizer(), drafter: drafter)
    }

    func generator() throws -> BatchGenerator {
      try BatchGenerator(text, settings: settings, threads: threads, cost: CostModelTests.model)
    }

    func textGenerator() throws -> TextGenerator {
      try TextGenerator(model: TinyModels.target, tokenizer: LetterTokenizer(), threads: 1)
    }
  }

  static let settings = [
    Setting(
      threads: 1, drafter: .block(TinyModels.drafter(blockSize: 8)),
      settings: BatchSettings(maximumSequences: 6)),
    // Prompts are read in slices of a row or two where all decode.
    Setting(
      threads: 2, drafter: .block(TinyModels.drafter(blockSize: 5, kind: .tokens)),
      settings: BatchSettings(maximumSequences: 12, rows: 14, prefillStretch: 1)),
    Setting(
      threads: 1, drafter: .causal(CausalModel(random: TinyModels.configuration, seed: 9)),
      settings: BatchSettings(maximumSequences: 16, rows: 40, cachesPrefixes: false)),
    Setting(
      threads: 2, drafter: nil,
      settings: BatchSettings(maximumSequences: 3, rows: 20, streamLimit: 2)),
    // There is memory for one long text, so that sequences give theirs back.
    Setting(
      threads: 1, drafter: .block(TinyModels.drafter(blockSize: 8)),
      settings: BatchSettings(
        maximumSequences: 8, keyValueMemory: 240 * 384, rows: 24, outputReserve: 1)),
  ]

  /// Beginnings that several prompts share.
  private static let beginnings: [[Token]] = {
    var random = RandomNumbers(seed: 12)
    return [0, 64, 70, 130].map { count in
      (0..<count).map { _ in Token.random(in: 0..<60, using: &random) }
    }
  }()

  /// Requests of all kinds.
  static func mix(_ count: Int, seed: UInt64) -> [BatchCase] {
    var random = RandomNumbers(seed: seed)
    return TinyModels.prompts(count + 5).suffix(count).enumerated().map { index, tail in
      let prompt = (beginnings[index % beginnings.count] + tail).prefix(140)
      let sampling = SamplingParameters(
        temperature: [0, 0.6, 1].randomElement(using: &random) ?? 0,
        topP: [1, 0.9].randomElement(using: &random) ?? 1,
        repetitionPenalty: [1, 1.3].randomElement(using: &random) ?? 1,
        presencePenalty: [0, 0, 0.7, -1].randomElement(using: &random) ?? 0,
        frequencyPenalty: [0, 0, 0.4].randomElement(using: &random) ?? 0,
        logitBias: index % 5 == 0 ? [3: 1.5, 60: -100] : [:], seed: random.next())
      let modes: [DecodingMode] = [
        .speculative(), .speculative(), .plain, .speculative(drafts: 3), .jacobi(),
        .speculative(free: FreeDraftOptions(suffix: true, recycling: true)),
      ]
      let request = BatchRequest(
        prompt: Array(prompt),
        parameters: GenerationParameters(
          sampling: sampling, maximumTokens: Int.random(in: 1...60, using: &random),
          stopStrings: index % 4 == 0 ? ["ab", "x"] : [],
          ignoresEnd: Bool.random(using: &random)),
        mode: modes[index % modes.count], scores: index % 3 == 0 ? index % 7 : nil)
      return BatchCase(request: request, leaves: index % 6 == 5 ? 5 : nil)
    }
  }

  /// Reads the answer, and compares every part of it with what the request gives alone.
  func check(_ generator: BatchGenerator, against alone: TextGenerator) async throws {
    let expected = try alone.generate(
      tokens: request.prompt, parameters: request.parameters, mode: .plain)
    var tokens: [Token] = []
    var text = ""
    var result: BatchResult?
    for try await event in try generator.submit(request) {
      switch event {
      case .prompt: Issue.record("no scores of the prompt were asked for")
      case .token(let token):
        tokens.append(token.id)
        text += token.text
        #expect((token.scores != nil) == (request.scores != nil))
        #expect(token.scores?.top.count == request.scores)
        if let best = token.scores?.top.first { #expect(best.logProbability <= 0) }
      case .finished(let end): result = end
      }
      if tokens.count == leaves {
        #expect(expected.tokens.starts(with: tokens) && expected.text.hasPrefix(text))
        return
      }
    }
    #expect(tokens == expected.tokens && text == expected.text)
    let output = try #require(result?.output)
    #expect(output.tokens == tokens && output.text == text && output.prompt == request.prompt)
    #expect(output.finishReason == expected.finishReason)
    #expect(output.statistics.emittedTokens == tokens.count)
  }
}
