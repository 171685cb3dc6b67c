import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// What a generator says of its drafter: once, and only where there is something to say.
@Suite struct DrafterWatchTests {
  private static let parameters = GenerationParameters(maximumTokens: 80, ignoresEnd: true)

  /// A drafter that drafts the tokens 0 and 30 alone.
  private static func drafter(context: Int) -> BlockDrafter {
    var configuration = TinyModels.drafter(blockSize: 4).configuration
    configuration.draftVocabularySize = 2
    configuration.maximumContext = context
    return BlockDrafter(random: configuration, seed: 3)
  }

  private func generator(_ drafter: DrafterModel) throws -> TextGenerator {
    try TextGenerator(
      model: TinyModels.target, tokenizer: LetterTokenizer(), drafter: drafter, threads: 1)
  }

  /// A prompt whose continuation has neither token.
  private func prompt(_ generator: TextGenerator) throws -> String {
    for letter in "abcdefghijklmnopqrstuvwxyz" {
      let plain = try generator.generate(
        String(letter), parameters: Self.parameters, mode: .plain)
      #expect(plain.notices.isEmpty)
      if !plain.tokens.contains(where: { $0 == 0 || $0 == 30 }) { return String(letter) }
    }
    throw SpeculateError("every continuation has the drafter's tokens")
  }

  @Test func aDrafterThatHelpsNothingIsSaidOnce() throws {
    let generator = try generator(.block(Self.drafter(context: 160)))
    let prompt = try prompt(generator)
    let mode = DecodingMode.speculative(drafts: 2)
    let first = try generator.generate(prompt, parameters: Self.parameters, mode: mode)
    #expect(first.statistics.draftPasses >= 50 && first.statistics.acceptedTokens == 0)
    #expect(
      first.notices.map(\.description) == [
        "the drafter: its \(first.statistics.draftPasses) passes gave 0 tokens that the target takes; is "
          + "it made for this target? Give another ‘drafter’, or none"
      ])
    let second = try generator.generate(prompt, parameters: Self.parameters, mode: mode)
    #expect(second.notices.isEmpty && second.tokens == first.tokens)
  }

  /// Short generations are added up.
  @Test func roundsOfSeveralGenerationsCount() throws {
    let generator = try generator(.block(Self.drafter(context: 160)))
    let prompt = try prompt(generator)
    var parameters = Self.parameters
    parameters.maximumTokens = 20
    let notices = try (0..<4).map { _ in
      try generator.generate(prompt, parameters: parameters, mode: .speculative(drafts: 2))
        .notices.count
    }
    #expect(notices == [0, 0, 1, 0])
  }

  @Test func aDrafterThatHelpsIsNotSpokenOf() throws {
    let generator = try generator(.causal(TinyModels.target))
    for mode in [DecodingMode.speculative(drafts: 4), .speculative()] {
      let result = try generator.generate("abc", parameters: Self.parameters, mode: mode)
      #expect(result.notices.isEmpty)
    }
  }

  @Test func aTextBeyondTheDraftersContextIsSaidOnce() throws {
    var configuration = TinyModels.drafter(blockSize: 4).configuration
    configuration.maximumContext = 40
    let generator = try generator(.block(BlockDrafter(random: configuration, seed: 2)))
    var parameters = Self.parameters
    parameters.maximumTokens = 30
    func said() throws -> [Notice] {
      try generator.generate("abc", parameters: parameters, mode: .speculative(drafts: 2)).notices
        .filter { $0.keys == ["max_position_embeddings"] }
    }
    #expect(try said().isEmpty)
    parameters.maximumTokens = 60
    let notices = try said()
    #expect(
      notices.map(\.text) == [
        "the text has 63 tokens, but the drafter was trained for 40; expect fewer accepted drafts behind them"
      ])
    #expect(try said().isEmpty)
  }
}
