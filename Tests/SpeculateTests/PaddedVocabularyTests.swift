import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Vocabularies with rows beyond the tokenizer's 61 tokens, as models pad theirs.
@Suite struct PaddedVocabularyTests {
  private static func model(_ vocabulary: Int, seed: UInt64) -> CausalModel {
    var configuration = TinyModels.configuration
    configuration.vocabularySize = vocabulary
    return CausalModel(random: configuration, seed: seed, format: .f32)
  }

  private static func block(_ vocabulary: Int, seed: UInt64 = 4) -> BlockDrafter {
    var configuration = TinyModels.drafter(blockSize: 6).configuration
    configuration.vocabularySize = vocabulary
    return BlockDrafter(random: configuration, seed: seed)
  }

  private static let drafters: [(name: String, model: DrafterModel)] = [
    ("causal, more rows", .causal(model(80, seed: 9), tokensAgree: true)),
    ("causal, fewer rows", .causal(model(62, seed: 9), tokensAgree: true)),
    ("causal, passes", .causal(model(80, seed: 9), passes: 2, tokensAgree: true)),
    ("block, fewer rows", .block(block(62))), ("block, as many", .block(block(70))),
  ]

  @Test func whatIsDraftedIsAToken() throws {
    let target = Self.model(70, seed: 1)
    for (name, drafter) in Self.drafters {
      let generator = try TextGenerator(
        model: target, tokenizer: LetterTokenizer(), drafter: drafter, threads: 1)
      for prompt in ["abc", "the"] {
        let parameters = GenerationParameters(maximumTokens: 60, ignoresEnd: true)
        let plain = try generator.generate(prompt, parameters: parameters, mode: .plain)
        for mode in [
          DecodingMode.speculative(drafts: 4), .speculative(drafts: 4, choice: .coupled),
        ] {
          let watcher = DraftWatcher()
          let result = try generator.generate(
            prompt, parameters: parameters, mode: mode, observer: watcher)
          #expect(result.tokens == plain.tokens, "\(name)")
          #expect(!watcher.drafts.isEmpty, "\(name)")
          #expect(watcher.drafts.allSatisfy { $0 < 61 }, "\(name)")
        }
      }
    }
  }

  /// The test above could fail: models draft ids of padding where nothing stops them.
  @Test func paddingIsDraftedWhereAllIdsAreTokens() throws {
    let workers = Workers(count: 1)
    let target = Self.model(70, seed: 1)
    func drafts(_ drafter: DrafterModel, _ tokens: Int?) throws -> [Token] {
      let source = try drafter.makeSource(
        target: target, workers: workers, capacity: 100, tokens: tokens)
      try source.reserve(100)
      let features = RandomSource(seed: 5).values(
        "features", [40 * 2 * target.configuration.hiddenSize])
      return (1..<30).flatMap { length in
        source.rewind(to: 0)
        source.commit(features: features.base, rows: length - 1)
        let request = DraftRequest(
          chooser: DraftChooser(
            .greedy, choice: .argmax, context: TokenPresence(vocabulary: 70)))
        request.tokens = (0..<length).map { Token($0 * 7 % 61) }
        request.count = 4
        source.enter(request)
        source.runPasses()
        return request.block.tokens
      }
    }
    let seeds: Range<UInt64> = 1..<12
    for drafters in [
      seeds.map { DrafterModel.causal(Self.model(70, seed: $0)) },
      seeds.map { .block(Self.block(70, seed: $0)) },
    ] {
      #expect(try drafters.contains { try drafts($0, nil).contains { $0 >= 61 } })
      for drafter in drafters { #expect(try drafts(drafter, 61).allSatisfy { $0 < 61 }) }
    }
  }

  @Test func tokensMustBeKnownToAgree() throws {
    let target = Self.model(70, seed: 1).configuration
    let drafter = Self.model(80, seed: 9)
    try DrafterModel.causal(drafter, tokensAgree: true).checkFit(target, tokens: 61)
    for (model, tokens) in [
      (DrafterModel.causal(drafter), 61), (.causal(drafter, tokensAgree: true), 71),
      (.causal(drafter, tokensAgree: true), nil),
    ] as [(DrafterModel, Int?)] {
      #expect(
        throws: SpeculateError(
          "the drafter has a vocabulary of 80, but this target has 70: use a drafter with the target's "
            + "vocabulary, or none")
      ) { try model.checkFit(target, tokens: tokens) }
    }
    let block = Self.block(62).configuration
    try BlockDraftSource.checkFit(block, target: target, tokens: 61)
    for tokens in [nil, 63] {
      #expect(throws: SpeculateError.self) {
        try BlockDraftSource.checkFit(block, target: target, tokens: tokens)
      }
    }
  }
}

/// Keeps what is drafted.
private final class DraftWatcher: RoundObserver {
  private(set) var drafts: [Token] = []
  func observe(_ record: RoundRecord) { drafts += record.drafts }
}
