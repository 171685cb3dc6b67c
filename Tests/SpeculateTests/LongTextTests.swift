import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Generations of LongRoPE models, whose angles depend on how long a text may become.
@Suite struct LongTextTests {
  private static let model = makeModel(originalContext: 48)

  private static func makeModel(originalContext: Int) -> CausalModel {
    let pairs = 8
    var configuration = ModelConfiguration(
      family: .phi3, vocabularySize: TinyModels.vocabulary, hiddenSize: 32, intermediateSize: 48,
      layerCount: 2, headCount: 2,
      ropeScaling: .longrope(
        LongRopeScaling(
          shortFactors: .init(repeating: 1, count: pairs),
          longFactors: (0..<pairs).map { 2 + Double($0) }, originalContext: originalContext,
          factor: 4)),
      maximumContext: 192)
    configuration.endTokens = []
    return CausalModel(random: configuration, seed: 9)
  }

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

  /// Long and usual texts that begin alike don't take each other's keys.
  @Test func beginningsAreSharedAmongTextsOfAKind() async throws {
    let text = TextModel(model: Self.makeModel(originalContext: 100), tokenizer: LetterTokenizer())
    let alone = try TextGenerator(
      model: text.model, tokenizer: LetterTokenizer(), threads: 1)
    // With little memory some are read again.
    for memory in [nil, 512 * 208] {
      let generator = try BatchGenerator(
        text,
        settings: BatchSettings(
          maximumSequences: 4, keyValueMemory: memory, rows: 24, outputReserve: 1),
        threads: 1, cost: CostModelTests.model)
      let prompt = (0..<70).map { Token($0 * 5 % 7) }
      for round in 0..<2 {
        var streams: [(BatchStream, GenerationResult)] = []
        for most in [20, 110, 30, 31] {
          let parameters = GenerationParameters(
            sampling: SamplingParameters(temperature: 1, seed: 3), maximumTokens: most,
            ignoresEnd: true)
          streams.append(
            (
              try generator.submit(BatchRequest(prompt: prompt, parameters: parameters)),
              try alone.generate(tokens: prompt, parameters: parameters, mode: .plain)
            ))
        }
        for (stream, expected) in streams {
          for try await event in stream {
            guard case .finished(let result) = event else { continue }
            #expect(result.output.tokens == expected.tokens)
            #expect(result.output.finishReason == expected.finishReason)
            if round == 1, memory == nil { #expect(result.cachedPromptTokens == 69) }
          }
        }
      }
    }
  }
}
