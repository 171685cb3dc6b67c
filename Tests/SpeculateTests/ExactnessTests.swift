import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// The product's promise: every decoder's ids are those of plain decoding (docs/algorithms.md 1).
@Suite(.serialized) struct ExactnessTests {
  struct Setting: CustomTestStringConvertible {
    var threads: Int
    var temperature: Float
    var weights = WeightFormat.f32
    var cache = KeyValueFormat.f32
    var groupsHeads = false

    var testDescription: String {
      "\(threads) threads, temperature \(temperature), \(weights), cache \(cache)"
        + (groupsHeads ? ", grouped heads" : "")
    }

    func runner(taps: [Int] = []) -> CausalRunner {
      TinyModels.runner(
        threads: threads, taps: taps, weights: weights, cache: cache, groupsHeads: groupsHeads)
    }
  }

  static let settings = [1, 2].flatMap { threads in
    [0, 1].map { Setting(threads: threads, temperature: $0) }
  }

  /// Every other format of weights and cache, each with one number of threads and one temperature.
  static let formats = WeightFormat.allCases.enumerated().flatMap { index, weights in
    KeyValueFormat.allCases.enumerated().compactMap { place, cache in
      weights == .f32 && cache == .f32
        ? nil
        : Setting(
          threads: 1 + (index + place) % 2, temperature: Float((index / 2 + place) % 2),
          weights: weights, cache: cache)
    }
  }

  /// Heads that two workers divide, and three don't.
  static let grouped = [
    Setting(threads: 2, temperature: 0, groupsHeads: true),
    Setting(threads: 3, temperature: 1, groupsHeads: true),
    Setting(threads: 1, temperature: 0, weights: .bf16, cache: .bf16, groupsHeads: true),
    Setting(threads: 2, temperature: 1, weights: .bf16, cache: .bf16, groupsHeads: true),
  ]

  static let prompts = TinyModels.prompts(200)
  static let blockSizes = 2...32

  /// 200 prompts × block sizes 2…32, and every accepted length at every block size.
  @Test(arguments: settings) func draftVerifyEqualsPlain(_ setting: Setting) throws {
    let histogram = try acceptances(setting, prompts: Self.prompts)
    for blockSize in Self.blockSizes {
      #expect(histogram[blockSize].count == blockSize && !histogram[blockSize].contains(0))
    }
  }

  /// The same in every format, with fewer prompts.
  @Test(arguments: formats + grouped) func everyFormatDecodesExactly(_ setting: Setting) throws {
    #expect(setting.runner().model.formats.layers == setting.weights)
    let histogram = try acceptances(setting, prompts: Array(Self.prompts.prefix(20)))
    for blockSize in 2...8 {
      #expect(histogram[blockSize].count == blockSize && !histogram[blockSize].contains(0))
    }
  }

  /// The formats must differ in what they compute, or the test above proves nothing new.
  @Test func formatsAreTargetsOfTheirOwn() throws {
    let settings = [Setting(threads: 1, temperature: 0)] + Self.formats
    var logits: Set<[UInt32]> = []
    for setting in settings {
      let runner = setting.runner()
      runner.read([5, 6, 7, 8], into: try runner.makeCache(capacity: 16), logits: .last)
      logits.insert((0..<TinyModels.vocabulary).map { runner.logits[$0].bitPattern })
    }
    #expect(logits.count == settings.count)
  }

  /// Compares plain and speculative ids and counts how many drafts were accepted, by block size.
  private func acceptances(_ setting: Setting, prompts: [[Token]]) throws -> [[Int]] {
    let runner = setting.runner()
    let context = TinyModels.configuration.maximumContext
    let cache = try runner.makeCache(capacity: context)
    var histogram = [[Int]](repeating: [], count: 33)
    for (index, prompt) in prompts.enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: setting.temperature, seed: UInt64(index)),
        maximumTokens: 34, ignoresEnd: true)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      #expect(plain.ids.count == 34 && plain.reason == .length)
      for blockSize in Self.blockSizes {
        let source = OracleSource(
          future: prompt + plain.ids,
          quality: index % 5 == 4 ? .chance(0.9) : .cycling(start: index),
          maximumDrafts: blockSize - 1, vocabulary: TinyModels.vocabulary, seed: UInt64(index))
        cache.reset()
        let decoder = try Decoder(
          runner: runner, cache: cache, prompt: prompt, parameters: parameters,
          strategy: DraftStrategy(source: source, length: .fixed(blockSize - 1)))
        let ids = Array(decoder)
        #expect(ids == plain.ids, "prompt \(index), block size \(blockSize)")
        #expect(decoder.finishReason == .length && source.complaints.isEmpty)
        let counts = decoder.statistics.acceptanceHistogram
        while histogram[blockSize].count < counts.count { histogram[blockSize].append(0) }
        for (accepted, count) in counts.enumerated() { histogram[blockSize][accepted] += count }
      }
    }
    return histogram
  }

  /// A real drafter on the same path, with each draft choice and the adaptive length.
  @Test(arguments: settings + formats, DrafterKind.allCases)
  func aBlockDrafterEqualsPlain(_ setting: Setting, kind: DrafterKind) throws {
    let context = TinyModels.configuration.maximumContext
    let lengths: [DraftLength] = [
      .fixed(31), .adaptive(AdaptiveDraftLength(CostModelTests.model)),
    ]
    for blockSize in [2, 3, 8, 16, 32] {
      let drafter = TinyModels.drafter(blockSize: blockSize, kind: kind)
      let runner = setting.runner(taps: drafter.configuration.targetLayers)
      let source = try BlockDraftSource(
        drafter: drafter, target: runner.model, workers: runner.workers, capacity: context)
      let isUsual = setting.weights == .f32 && setting.cache == .f32
      for (index, prompt) in Self.prompts.prefix(isUsual ? 40 : 8).enumerated() {
        let parameters = GenerationParameters(
          sampling: SamplingParameters(temperature: setting.temperature, seed: UInt64(index)),
          maximumTokens: 34)
        let plain = try TinyModels.plain(prompt, parameters, runner: runner)
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
          parameters: parameters,
          strategy: DraftStrategy(
            source: source, length: lengths[index % 2], choice: DraftChoice.allCases[index / 2 % 2],
            branches: index / 4 % 4))
        #expect(Array(decoder) == plain.ids)
        #expect(decoder.finishReason == plain.reason)
        if index % 2 == 0 { #expect(decoder.statistics.verifiedTokens > 0) }
      }
    }
  }

  /// Every sampling parameter on the speculative path; penalties look at the drafts before a row.
  @Test func processedLogitsEqualPlain() throws {
    let runner = TinyModels.runner(threads: 1)
    let context = TinyModels.configuration.maximumContext
    for (index, prompt) in Self.prompts.prefix(60).enumerated() {
      let sampling = SamplingParameters(
        temperature: [0, 0.3, 1, 2][index % 4], topK: [0, 5, 20][index % 3],
        topP: [1, 0.9][index / 4 % 2], minP: [0, 0.1][index / 8 % 2],
        repetitionPenalty: [1, 1.5, 0.8][index / 2 % 3], seed: UInt64(index))
      let parameters = GenerationParameters(
        sampling: sampling, maximumTokens: 40, ignoresEnd: true)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      for blockSize in [2, 5, 16, 32] {
        let source = OracleSource(
          future: prompt + plain.ids, quality: .chance(0.85), maximumDrafts: blockSize - 1,
          vocabulary: TinyModels.vocabulary, seed: UInt64(index))
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
          parameters: parameters,
          strategy: DraftStrategy(source: source, length: .fixed(blockSize - 1)))
        #expect(Array(decoder) == plain.ids && source.complaints.isEmpty)
      }
    }
  }

  /// The penalty must matter in the test above, or it proves nothing.
  @Test func penaltiesChangeTheOutput() throws {
    let runner = TinyModels.runner(threads: 1)
    let changed = try Self.prompts.prefix(20).count { prompt in
      let penalized = GenerationParameters(
        sampling: SamplingParameters(repetitionPenalty: 1.5), maximumTokens: 40)
      return try TinyModels.plain(prompt, penalized, runner: runner).ids
        != TinyModels.plain(prompt, GenerationParameters(maximumTokens: 40), runner: runner).ids
    }
    #expect(changed > 10)
  }

  /// The features a source gets are those of the committed text, to the bit, whatever was rejected.
  @Test func committedFeaturesAreThoseOfTheText() throws {
    let width = 2 * TinyModels.configuration.hiddenSize
    let runner = TinyModels.runner(threads: 1, taps: [0, 1])
    let context = TinyModels.configuration.maximumContext
    for (index, prompt) in Self.prompts.prefix(20).enumerated() {
      let parameters = GenerationParameters(maximumTokens: 40, ignoresEnd: true)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      let source = OracleSource(
        future: prompt + plain.ids, quality: .chance(0.7), maximumDrafts: 9,
        vocabulary: TinyModels.vocabulary, seed: UInt64(index), taps: [0, 1], featureWidth: width)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
        parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(9)))
      let text = prompt + Array(decoder)
      var expected: [Float] = []
      try runner.read(text, into: runner.makeCache(capacity: context), logits: .last) { piece in
        expected += UnsafeBufferPointer(start: runner.taps, count: piece.count * width)
        return true
      }
      #expect(source.positions == text.count - 1)
      #expect(source.features == Array(expected.prefix(source.positions * width)))
    }
  }
}
