import Drafter
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Drafts that cost no pass change the speed and nothing else.
@Suite(.serialized) struct FreeDraftTests {
  static let choices = [
    FreeDraftOptions(suffix: true), FreeDraftOptions(suffix: false, recycling: true),
    FreeDraftOptions(suffix: true, recycling: true),
  ]
  static let adaptive = DraftLength.adaptive(AdaptiveDraftLength(CostModelTests.model))

  /// Prompts in which runs come back, so that lookups find something.
  static let prompts = TinyModels.prompts(24).map { Array(($0 + $0 + $0).prefix(60)) }

  @Test(arguments: ExactnessTests.settings) func withoutADrafterOutputIsPlain(
    _ setting: ExactnessTests.Setting
  ) throws {
    let runner = TinyModels.runner(threads: setting.threads)
    let cache = try runner.makeCache(capacity: TinyModels.configuration.maximumContext)
    var all = GenerationStatistics()
    for (index, prompt) in Self.prompts.enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: setting.temperature, seed: UInt64(index)),
        maximumTokens: 60)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      for free in Self.choices {
        for length in [DraftLength.fixed(1), .fixed(5), .fixed(31), Self.adaptive] {
          cache.reset()
          let decoder = try Decoder(
            runner: runner, cache: cache, prompt: prompt, parameters: parameters,
            strategy: DraftStrategy(source: nil, length: length, free: free))
          #expect(Array(decoder) == plain.ids)
          #expect(decoder.finishReason == plain.reason)
          #expect(decoder.statistics.emittedTokens == plain.ids.count)
          #expect(decoder.statistics.draftPasses == 0)
          if !free.suffix { #expect(decoder.statistics.suffixTokens == 0) }
          if !free.recycling { #expect(decoder.statistics.recycledTokens == 0) }
          all += decoder.statistics
        }
      }
    }
    // The tests above would prove nothing if no draft had been accepted.
    if setting.temperature == 0 {
      #expect(all.suffixTokens > 500 && all.recycledTokens > 0)
      #expect(all.acceptedTokens == all.suffixTokens + all.recycledTokens)
    }
  }

  /// Beside drafts of every quality, whose rejections are what is recycled: trees that branch.
  @Test(arguments: ExactnessTests.settings) func besideADrafterOutputIsPlain(
    _ setting: ExactnessTests.Setting
  ) throws {
    let runner = TinyModels.runner(threads: setting.threads, taps: [0, 1])
    let cache = try runner.makeCache(capacity: TinyModels.configuration.maximumContext)
    let width = 2 * TinyModels.configuration.hiddenSize
    var all = GenerationStatistics()
    for (index, prompt) in Self.prompts.enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(
          temperature: setting.temperature, repetitionPenalty: index % 3 == 0 ? 1.2 : 1,
          seed: UInt64(index)), maximumTokens: 50)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      let text = prompt + plain.ids
      cache.reset()
      var expected: [Float] = []
      runner.read(text, into: cache, logits: .last) { piece in
        expected += UnsafeBufferPointer(start: runner.taps, count: piece.count * width)
        return true
      }
      for chance in [0.3, 0.7] {
        for length in [DraftLength.fixed(12), Self.adaptive] {
          let source = OracleSource(
            future: text, quality: .chance(chance), maximumDrafts: 9,
            vocabulary: TinyModels.vocabulary, seed: UInt64(index), taps: [0, 1],
            featureWidth: width)
          cache.reset()
          let decoder = try Decoder(
            runner: runner, cache: cache, prompt: prompt, parameters: parameters,
            strategy: DraftStrategy(
              source: source, length: length, free: FreeDraftOptions(suffix: true, recycling: true))
          )
          #expect(Array(decoder) == plain.ids && decoder.finishReason == plain.reason)
          #expect(source.complaints.isEmpty)
          // The features of the rows that were kept, wherever in the tree they stood.
          let equal = source.features == Array(expected.prefix(source.positions * width))
          #expect(equal && source.positions == text.count - 1)
          all += decoder.statistics
        }
      }
    }
    #expect(all.suffixTokens > 0 && all.recycledTokens > 0)
  }

  /// A real drafter, whose caches must survive rounds without a draft pass.
  @Test func besideABlockDrafterOutputIsPlain() throws {
    let workers = Workers(count: 2)
    let drafter = TinyModels.drafter(blockSize: 8)
    let runner = CausalRunner(
      model: TinyModels.target, workers: workers, maximumRows: 32,
      taps: drafter.configuration.targetLayers)
    let context = TinyModels.configuration.maximumContext
    let source = try BlockDraftSource(
      drafter: drafter, target: TinyModels.target, workers: workers, capacity: context)
    for (index, prompt) in Self.prompts.enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: Float(index % 2), seed: UInt64(index)),
        maximumTokens: 60)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      for length in [DraftLength.fixed(9), Self.adaptive] {
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
          parameters: parameters,
          strategy: DraftStrategy(
            source: source, length: length, free: FreeDraftOptions(suffix: true, recycling: true)))
        #expect(Array(decoder) == plain.ids)
      }
    }
  }

  @Test func anEndTokenEndsTheOutputAnywhere() throws {
    let runner = TinyModels.runner(threads: 1)
    let context = TinyModels.configuration.maximumContext
    for prompt in Self.prompts.prefix(8) {
      let free = GenerationParameters(maximumTokens: 30, ignoresEnd: true)
      let whole = try TinyModels.plain(prompt, free, runner: runner).ids
      for end in Set(whole) {
        let parameters = GenerationParameters(maximumTokens: 30, endTokens: [end])
        for length in [DraftLength.fixed(3), .fixed(31), Self.adaptive] {
          let source = OracleSource(
            future: prompt + whole, quality: .chance(0.6), maximumDrafts: 8,
            vocabulary: TinyModels.vocabulary)
          let decoder = try Decoder(
            runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
            parameters: parameters,
            strategy: DraftStrategy(
              source: source, length: length, free: FreeDraftOptions(suffix: true, recycling: true))
          )
          #expect(Array(decoder) == Array(whole[...whole.firstIndex(of: end)!]))
          #expect(decoder.finishReason == .endToken)
        }
      }
    }
  }
}
