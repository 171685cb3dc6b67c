import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// The product's promise where rows of a pass go through different experts.
@Suite struct ExpertExactnessTests {
  static let configurations = [
    TinyModels.experts(weighting: .ofAllNormalized, shared: false),
    TinyModels.experts(weighting: .ofAll, shared: true),
  ]
  static let formats: [WeightFormat] = [.f32, .bf16, .int8, .int4]

  /// Every accepted length, with one and two threads, and with each format.
  @Test(arguments: configurations, formats)
  func draftVerifyEqualsPlain(configuration: ModelConfiguration, format: WeightFormat) throws {
    let model = CausalModel(random: configuration, seed: 3, format: format)
    var lengths: Set<Int> = []
    for threads in [1, 2] {
      let runner = CausalRunner(model: model, workers: Workers(count: threads), maximumRows: 32)
      for (index, prompt) in TinyModels.prompts(6).enumerated() {
        let parameters = GenerationParameters(
          sampling: SamplingParameters(temperature: Float(index % 2), seed: UInt64(index)),
          maximumTokens: 34, ignoresEnd: true)
        let plain = try TinyModels.plain(prompt, parameters, runner: runner)
        #expect(plain.ids.count == 34)
        for blockSize in [2, 5, 16] {
          let source = OracleSource(
            future: prompt + plain.ids, quality: .cycling(start: index),
            maximumDrafts: blockSize - 1, vocabulary: TinyModels.vocabulary, seed: UInt64(index))
          let decoder = try Decoder(
            runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
            parameters: parameters,
            strategy: DraftStrategy(source: source, length: .fixed(blockSize - 1)))
          #expect(Array(decoder) == plain.ids && source.complaints.isEmpty)
          for (length, count) in decoder.statistics.acceptanceHistogram.enumerated() where count > 0
          {
            lengths.insert(length)
          }
        }
      }
    }
    #expect(lengths.count > 8)
  }

  /// Sequences of several lengths in one pass, each as it is alone, ids and logits.
  @Test(arguments: configurations, formats)
  func sequencesShareAPass(configuration: ModelConfiguration, format: WeightFormat) throws {
    let model = CausalModel(random: configuration, seed: 3, format: format)
    let width = configuration.vocabularySize
    func logits(_ runner: CausalRunner, row: Int) -> [UInt32] {
      (0..<width).map { runner.logits[row * width + $0].bitPattern }
    }
    let prompts = TinyModels.prompts(7)
    let alone = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 32)
    let single = try prompts.map { prompt in
      let cache = try alone.makeCache(capacity: 160)
      return (prompt + [5]).map { token in
        alone.read([token], into: cache, logits: .last)
        return logits(alone, row: 0)
      }.last
    }
    for threads in 1...3 {
      let runner = CausalRunner(model: model, workers: Workers(count: threads), maximumRows: 32)
      let caches = try prompts.map { prompt in
        let cache = try runner.makeCache(capacity: 160)
        runner.read(prompt, into: cache)
        return cache
      }
      runner.forward(forest: caches.map { PlantedTree(TokenTree(root: 5), in: $0) })
      for row in prompts.indices {
        let equal = logits(runner, row: row) == single[row]
        #expect(equal, "sequence \(row), \(threads) threads")
      }
    }
  }
}
