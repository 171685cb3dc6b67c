import Files
import Speculate
import Testing

@Suite struct SamplingParametersTests {
  static let mistakes: [(SamplingParameters, String)] = [
    (
      .init(temperature: -1),
      "temperature -1.0 is out of range: use 0 for greedy decoding, or 0.01 to 100"
    ),
    (
      .init(temperature: 0.001),
      "temperature 0.001 is out of range: use 0 for greedy decoding, or 0.01 to 100"
    ),
    (
      .init(temperature: .nan),
      "temperature nan is out of range: use 0 for greedy decoding, or 0.01 to 100"
    ),
    (.init(topK: -2), "top-k -2 is out of range: use 1 or more, or 0 to keep all tokens"),
    (
      .init(topP: 0),
      "top-p 0.0 is out of range: use more than 0 and at most 1 (1 keeps all tokens)"
    ),
    (
      .init(topP: .nan),
      "top-p nan is out of range: use more than 0 and at most 1 (1 keeps all tokens)"
    ),
    (.init(minP: 1.5), "min-p 1.5 is out of range: use 0 to 1 (0 keeps all tokens)"),
    (
      .init(repetitionPenalty: 0),
      "repetition penalty 0.0 is out of range: use 0.1 to 10 (1 is none)"
    ),
  ]

  @Test(arguments: mistakes.indices) func aMistakeIsNamed(_ index: Int) {
    let (parameters, message) = Self.mistakes[index]
    #expect(throws: SpeculateError(message)) { try parameters.validated() }
  }

  @Test func goodValuesPass() throws {
    try SamplingParameters.greedy.validated()
    try SamplingParameters(
      temperature: 0.7, topK: 40, topP: 0.9, minP: 0.05, repetitionPenalty: 1.1, seed: .max
    ).validated()
  }

  @Test func generationLimitsAreChecked() {
    #expect(throws: SpeculateError("max tokens 0 is out of range: use 1 or more")) {
      try GenerationParameters(maximumTokens: 0).validated()
    }
    #expect(throws: SpeculateError("a stop string is empty: give at least one character")) {
      try GenerationParameters(stopStrings: ["a", ""]).validated()
    }
  }

  @Test func endTokensCanBeReplacedOrIgnored() {
    #expect(GenerationParameters().endTokens(of: [1, 2]) == [1, 2])
    #expect(GenerationParameters(endTokens: [5]).endTokens(of: [1, 2]) == [5])
    #expect(GenerationParameters(endTokens: [5], ignoresEnd: true).endTokens(of: [1]) == [])
  }
}
