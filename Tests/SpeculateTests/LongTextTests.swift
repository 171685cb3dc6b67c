import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Generations of LongRoPE models, whose angles depend on how long a text may become.
@Suite struct LongTextTests {
  private static let model = {
    let pairs = 8
    var configuration = ModelConfiguration(
      family: .phi3, vocabularySize: TinyModels.vocabulary, hiddenSize: 32, intermediateSize: 48,
      layerCount: 2, headCount: 2,
      ropeScaling: .longrope(
        LongRopeScaling(
          shortFactors: .init(repeating: 1, count: pairs),
          longFactors: (0..<pairs).map { 2 + Double($0) }, originalContext: 48, factor: 4)),
      maximumContext: 192)
    configuration.endTokens = []
    return CausalModel(random: configuration, seed: 9)
  }()

  /// One after the other with one generator, as a new cache of just that capacity decodes them plainly.
  @Test func modesAgreeWithinAndBeyondTheOriginalContext() throws {
    let generator = try TextGenerator(
      model: Self.model, tokenizer: LetterTokenizer(), threads: 1)
    let runner = CausalRunner(model: Self.model, workers: Workers(count: 1), maximumRows: 32)
    var beginnings: [[Token]] = []
    for (length, most) in [(10, 38), (10, 39), (4, 20), (40, 90), (60, 30), (30, 18), (5, 187)] {
      let prompt = (0..<length).map { Token($0 * 5 % 7) }
      for temperature: Float in [0, 1] {
        let parameters = GenerationParameters(
          sampling: SamplingParameters(temperature: temperature, seed: 3), maximumTokens: most,
          ignoresEnd: true)
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: length + most), prompt: prompt,
          parameters: parameters, strategy: PlainStrategy())
        let expected = Array(decoder)
        #expect(expected.count == most)
        for mode in [DecodingMode.plain, .speculative(), .jacobi(JacobiOptions())] {
          let result = try generator.generate(tokens: prompt, parameters: parameters, mode: mode)
          #expect(result.tokens == expected, "\(length) + \(most), \(mode)")
        }
        if length == 10, temperature == 1 { beginnings.append(Array(expected.prefix(38))) }
      }
    }
    // One token more makes it a long text.
    #expect(beginnings.count == 2 && beginnings[0] != beginnings[1])
  }
}
