import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

@Suite struct ModelConfigurationWritingTests {
  static let samples: [ModelConfiguration] = [
    ModelConfiguration(
      family: .qwen3, vocabularySize: 8192, hiddenSize: 384, intermediateSize: 1088,
      layerCount: 12, headCount: 6, keyValueHeadCount: 2, headDimension: 64, tiesEmbeddings: true,
      endTokens: [2], beginToken: 1, elementType: .bf16),
    ModelConfiguration(
      family: .qwen3, vocabularySize: 99, hiddenSize: 12, intermediateSize: 20, layerCount: 3,
      headCount: 2, normEpsilon: 1e-5, ropeTheta: 1_000_000, ropeScaling: .linear(factor: 2.5),
      attentionBias: true, slidingWindow: 7, windowedLayers: [true, false, true]),
    ModelConfiguration(
      family: .llama, vocabularySize: 128, hiddenSize: 64, intermediateSize: 96, layerCount: 2,
      headCount: 4,
      ropeScaling: .llama3(
        factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192),
      maximumContext: 131_072, attentionBias: true, mlpBias: true, endTokens: [7, 9, 11],
      elementType: .f16),
    ModelConfiguration(
      family: .mistral, vocabularySize: 128, hiddenSize: 64, intermediateSize: 96, layerCount: 2,
      headCount: 4, keyValueHeadCount: 1, slidingWindow: 16, elementType: .f32),
    ModelConfiguration(
      family: .mistral, vocabularySize: 128, hiddenSize: 64, intermediateSize: 96, layerCount: 2,
      headCount: 4, headDimension: 32),
    ModelConfiguration(
      family: .qwen2, vocabularySize: 128, hiddenSize: 64, intermediateSize: 96, layerCount: 4,
      headCount: 4, slidingWindow: 5, windowedLayers: [false, false, true, true]),
    ModelConfiguration(
      family: .qwen2, vocabularySize: 128, hiddenSize: 64, intermediateSize: 96, layerCount: 4,
      headCount: 4, slidingWindow: 5),
  ]

  @Test(arguments: samples)
  func readingBackGivesTheSame(configuration: ModelConfiguration) throws {
    let folder = try TemporaryFolder()
    try folder.write(try configuration.encoded(), to: "config.json")
    #expect(try ModelConfiguration(directory: folder.url) == configuration)
  }

  /// What every reference model says is written and read again.
  @Test(arguments: ReferenceModel.names)
  func everyFamilysSettingsAreWritten(name: String) throws {
    let configuration = try ModelConfiguration(directory: ReferenceModel(name: name).directory)
    let folder = try TemporaryFolder()
    try folder.write(try configuration.encoded(), to: "config.json")
    #expect(try ModelConfiguration(directory: folder.url) == configuration)
  }

  @Test func theFormatsOfAConvertedModel() throws {
    var configuration = Self.samples[0]
    configuration.quantization = WeightFormats(layers: .int4, embedding: .bf16)
    let folder = try TemporaryFolder()
    try folder.write(try configuration.encoded(), to: "config.json")
    let read = try ModelConfiguration(directory: folder.url)
    #expect(read == configuration)
    #expect(read.quantization?.head == .int8)
    #expect(read.quantization?.description == "int4, head int8, embedding bf16")
  }

  @Test func whatCannotBeLoadedIsNotWritten() {
    var configuration = Self.samples[3]
    configuration.attentionBias = true
    #expect(
      throws: SpeculateError(
        "the model configuration: mistral models can't have these biases (attention_bias, mlp_bias)"
      )
    ) { try configuration.encoded() }
  }
}
