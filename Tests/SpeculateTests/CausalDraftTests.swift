import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Causal models as drafters: the target's output, and drafts that are the drafter's own.
@Suite(.serialized) struct CausalDraftTests {
  static let context = TinyModels.configuration.maximumContext
  /// Another model of the vocabulary, of other sizes and with a shorter context.
  static let other: CausalModel = {
    var configuration = TinyModels.configuration
    configuration.layerCount = 1
    configuration.maximumContext = 64
    return CausalModel(random: configuration, seed: 9)
  }()
  static let lengths: [DraftLength] = [
    .fixed(1), .fixed(9), .adaptive(AdaptiveDraftLength(CostModelTests.model)),
  ]

  @Test(arguments: ExactnessTests.settings + ExactnessTests.formats) func outputIsPlain(
    _ setting: ExactnessTests.Setting
  ) throws {
    let runner = setting.runner()
    let cache = try runner.makeCache(capacity: Self.context)
    for drafter in [TinyModels.target, Self.other] {
      for passes in [nil, 1, 3] {
        let source = try CausalDraftSource(
          drafter: drafter, workers: runner.workers, capacity: Self.context, passes: passes)
        for (index, prompt) in ExactnessTests.prompts.prefix(8).enumerated() {
          let parameters = GenerationParameters(
            sampling: SamplingParameters(
              temperature: setting.temperature, repetitionPenalty: index % 3 == 0 ? 1.3 : 1,
              seed: UInt64(index)),
            // Beyond the context of the shorter drafter.
            maximumTokens: 90, ignoresEnd: index % 2 == 0)
          let plain = try TinyModels.plain(prompt, parameters, runner: runner)
          for (place, length) in Self.lengths.enumerated() {
            cache.reset()
            let decoder = try Decoder(
              runner: runner, cache: cache, prompt: prompt, parameters: parameters,
              strategy: DraftStrategy(
                source: source, length: length, choice: DraftChoice.allCases[(index + place) % 2],
                free: FreeDraftOptions(suffix: place == 2)))
            #expect(Array(decoder) == plain.ids && decoder.finishReason == plain.reason)
          }
        }
      }
    }
  }

  /// A drafter that is the target is always right, so its cache holds what was committed.
  @Test func theTargetItselfGuessesAll() throws {
    let runner = TinyModels.runner(threads: 1)
    let source = try CausalDraftSource(
      drafter: TinyModels.target, workers: runner.workers, capacity: Self.context)
    for (index, prompt) in ExactnessTests.prompts.prefix(20).enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: Float(index % 2), seed: UInt64(index)),
        maximumTokens: 41, ignoresEnd: true)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: Self.context), prompt: prompt,
        parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(7)))
      _ = Array(decoder)
      #expect(decoder.statistics.acceptanceRate == 1 && decoder.statistics.rounds == 6)
      // One pass a draft.
      #expect(decoder.statistics.draftPasses == decoder.statistics.draftedTokens)
    }
  }

  private static func drafts(
    of source: CausalDraftSource, after tokens: [Token], count: Int
  ) -> DraftBlock {
    let request = DraftRequest(
      chooser: DraftChooser(
        .greedy, choice: .argmax, context: TokenPresence(vocabulary: TinyModels.vocabulary)))
    request.tokens = tokens
    request.count = count
    source.enter(request)
    source.runPasses()
    return request.block
  }

  /// However many drafts are kept, the next ones are the drafter's own continuation: all of them, or
  /// as many as iteration has passes.
  @Test(arguments: [nil, 1, 2, 5]) func draftsAreTheDraftersOwn(passes: Int?) throws {
    let runner = CausalRunner(model: Self.other, workers: Workers(count: 1), maximumRows: 64)
    let source = try CausalDraftSource(
      drafter: Self.other, workers: Workers(count: 2), capacity: Self.context, passes: passes)
    var random = RandomNumbers(seed: 3)
    var (right, all) = (0, 0)
    for prompt in TinyModels.prompts(12) {
      source.rewind(to: 0)
      var tokens = prompt
      while tokens.count < 50 {
        let count = Int.random(in: 1...9, using: &random)
        let plain = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: 64), prompt: tokens,
          parameters: GenerationParameters(maximumTokens: count, ignoresEnd: true))
        let expected = Array(plain)
        let block = Self.drafts(of: source, after: tokens, count: count)
        #expect(block.tokens.count == count && block.confidences.count == count)
        if let passes, passes < count {
          #expect((1...passes).contains(block.passes))
        } else {
          #expect(block.passes == count)
        }
        let exact = min(count, passes ?? count)
        #expect(block.tokens.prefix(exact) == expected.prefix(exact))
        right += zip(block.tokens, expected).count { $0 == $1 }
        all += count
        // Some drafts are kept, and one other token.
        tokens += block.tokens.prefix(Int.random(in: 0...count, using: &random))
        tokens.append(Token.random(in: 0..<Token(TinyModels.vocabulary), using: &random))
      }
    }
    #expect(passes == nil ? right == all : right < all)
  }

  @Test func beyondItsContextADrafterIsSilent() throws {
    let source = try CausalDraftSource(
      drafter: Self.other, workers: Workers(count: 1), capacity: Self.context)
    for (count, expected) in [(60, 5), (63, 2), (64, 1), (65, 0), (100, 0)] {
      let block = Self.drafts(
        of: source, after: [Token](repeating: 7, count: count), count: 9)
      #expect(block.tokens.count == expected)
    }
  }

  @Test func vocabulariesAreCompared() {
    var configuration = TinyModels.configuration
    configuration.vocabularySize = 100
    #expect(
      throws: SpeculateError(
        "the drafter has a vocabulary of 61, but this target has 100: use a drafter with the "
          + "target's vocabulary, or none")
    ) { try DrafterModel.causal(Self.other).checkFit(configuration) }
  }

  /// Pass times are measured like any drafter's.
  @Test func aGeneratorTakesOne() throws {
    for passes in [nil, 2] {
      let generator = try TextGenerator(
        model: TinyModels.target, tokenizer: LetterTokenizer(),
        drafter: .causal(TinyModels.target, passes: passes), threads: 1)
      let parameters = GenerationParameters(maximumTokens: 60, ignoresEnd: true)
      let plain = try generator.generate("abc", parameters: parameters, mode: .plain)
      for mode in [DecodingMode.speculative(), .speculative(drafts: 5)] {
        let result = try generator.generate("abc", parameters: parameters, mode: mode)
        #expect(result.tokens == plain.tokens)
      }
    }
  }
}
