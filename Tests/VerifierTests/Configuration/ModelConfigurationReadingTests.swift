import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// `config.json` files of the kinds that are out there, and what they mean.
@Suite struct ModelConfigurationReadingTests {
  private func read(_ config: String, generation: String? = nil) throws -> ModelConfiguration {
    let folder = try TemporaryFolder(config: config, generation: generation)
    return try ModelConfiguration(directory: folder.url)
  }

  private static let sizes = """
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
    "num_attention_heads": 4
    """

  @Test func llamaDefaults() throws {
    let expected = ModelConfiguration(
      family: .llama, vocabularySize: 64, hiddenSize: 32, intermediateSize: 48, layerCount: 3,
      headCount: 4, keyValueHeadCount: 4, headDimension: 8, normEpsilon: 1e-6, ropeTheta: 10_000,
      maximumContext: 2048, endTokens: [2], beginToken: 1)
    #expect(try read("{\"model_type\": \"llama\", \(Self.sizes)}") == expected)
    #expect(
      try read("{\"architectures\": [\"LlamaForCausalLM\"], \(Self.sizes)}") == expected)
    #expect(
      try read(
        """
        {"model_type": "llama", \(Self.sizes), "num_key_value_heads": null, "head_dim": null,
         "rope_scaling": null, "rope_theta": null, "attention_bias": null, "sliding_window": 7}
        """) == expected)
  }

  @Test func mistralDefaults() throws {
    let sizes = Self.sizes.replacingOccurrences(of: "heads\": 4", with: "heads\": 16")
    var expected = ModelConfiguration(
      family: .mistral, vocabularySize: 64, hiddenSize: 32, intermediateSize: 48, layerCount: 3,
      headCount: 16, keyValueHeadCount: 8, headDimension: 2, maximumContext: 131_072,
      slidingWindow: 4096, endTokens: [2], beginToken: 1)
    #expect(try read("{\"model_type\": \"mistral\", \(sizes)}") == expected)
    expected.slidingWindow = nil
    expected.keyValueHeadCount = 16
    #expect(
      try read(
        """
        {"model_type": "mistral", \(sizes), "sliding_window": null, "num_key_value_heads": null}
        """) == expected)
  }

  @Test func qwen2Defaults() throws {
    let expected = ModelConfiguration(
      family: .qwen2, vocabularySize: 64, hiddenSize: 32, intermediateSize: 48, layerCount: 3,
      headCount: 4, keyValueHeadCount: 2, headDimension: 8, maximumContext: 32_768,
      attentionBias: true, outputBias: false)
    #expect(
      try read("{\"model_type\": \"qwen2\", \(Self.sizes), \"num_key_value_heads\": 2}") == expected
    )
    #expect(expected.usesWindow(layer: 2) == false)
  }

  @Test func qwen3Defaults() throws {
    let expected = ModelConfiguration(
      family: .qwen3, vocabularySize: 64, hiddenSize: 32, intermediateSize: 48, layerCount: 3,
      headCount: 4, keyValueHeadCount: 4, headDimension: 128, maximumContext: 32_768)
    let actual = try read(
      "{\"model_type\": \"qwen3\", \(Self.sizes), \"num_key_value_heads\": null}")
    #expect(actual == expected)
    #expect(actual.headNorms == .each && !actual.attentionBias && !actual.outputBias)
    #expect(actual.headCount * actual.headDimension == 512)
    #expect(actual.keyValueHeadCount * actual.headDimension == 512)
  }

  /// The published file of Llama 3.2 1B.
  @Test func publishedLlama() throws {
    let actual = try read(
      """
      {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64,
       "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
       "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
       "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
       "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
       "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
       "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
       "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128256}
      """)
    #expect(
      actual
        == ModelConfiguration(
          family: .llama, vocabularySize: 128_256, hiddenSize: 2048, intermediateSize: 8192,
          layerCount: 16, headCount: 32, keyValueHeadCount: 8, headDimension: 64,
          normEpsilon: 1e-5, ropeTheta: 500_000,
          ropeScaling: .llama3(
            factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192),
          tiesEmbeddings: true, maximumContext: 131_072,
          endTokens: [128_001, 128_008, 128_009], beginToken: 128_000, elementType: .bf16))
  }

  /// The published file of Qwen3 0.6B and its generation settings.
  @Test func publishedQwen3() throws {
    let actual = try read(
      """
      {"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu",
       "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
       "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
       "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
       "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
       "sliding_window": null, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
       "transformers_version": "4.51.0", "use_cache": true, "use_sliding_window": false,
       "vocab_size": 151936}
      """,
      generation: """
        {"bos_token_id": 151643, "do_sample": true, "eos_token_id": [151645, 151643],
         "pad_token_id": 151643, "temperature": 0.6, "top_k": 20, "top_p": 0.95}
        """)
    #expect(
      actual
        == ModelConfiguration(
          family: .qwen3, vocabularySize: 151_936, hiddenSize: 1024, intermediateSize: 3072,
          layerCount: 28, headCount: 16, keyValueHeadCount: 8, headDimension: 128,
          ropeTheta: 1_000_000, tiesEmbeddings: true, maximumContext: 40_960,
          endTokens: [151_645, 151_643], beginToken: 151_643, elementType: .bf16))
  }

  /// What transformers 5 writes: `rope_parameters`, `dtype`, `layer_types`.
  @Test func theFormOfTransformersFive() throws {
    let actual = try read(
      """
      {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "dtype": "float16",
       \(Self.sizes), "num_key_value_heads": 2, "bos_token_id": null, "eos_token_id": null,
       "use_sliding_window": true, "sliding_window": 16, "max_window_layers": 2,
       "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
       "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "linear", "factor": 2}}
      """)
    #expect(actual.ropeTheta == 1_000_000)
    #expect(actual.ropeScaling == .linear(factor: 2))
    #expect(actual.elementType == .f16)
    #expect(actual.slidingWindow == 16)
    #expect((0..<3).map(actual.usesWindow) == [true, false, true])
    #expect(actual.endTokens == [] && actual.beginToken == nil)
  }

  @Test func windowsByMaxWindowLayers() throws {
    func windows(_ settings: String) throws -> [Bool] {
      let read = try read(
        "{\"model_type\": \"qwen2\", \(Self.sizes), \"num_key_value_heads\": 4, \(settings)}")
      return (0..<3).map(read.usesWindow)
    }
    #expect(
      try windows("\"use_sliding_window\": true, \"max_window_layers\": 1")
        == [false, true, true])
    #expect(
      try windows("\"use_sliding_window\": true, \"max_window_layers\": 0") == [true, true, true])
    #expect(try windows("\"use_sliding_window\": true") == [false, false, false])
    #expect(
      try windows("\"use_sliding_window\": false, \"max_window_layers\": 0")
        == [false, false, false])
    #expect(
      try windows(
        "\"use_sliding_window\": true, \"sliding_window\": null, \"max_window_layers\": 0")
        == [false, false, false])
  }

  @Test(arguments: [
    (#""rope_scaling": {"type": "linear", "factor": 4}"#, RopeScaling.linear(factor: 4)),
    (#""rope_scaling": {"rope_type": "default"}"#, .none),
    (#""rope_scaling": {}"#, .none),
    (#""rope_scaling": {"rope_type": "default", "partial_rotary_factor": 1.0}"#, .none),
    (#""rope_parameters": {"rope_theta": 10000.0}"#, .none),
    (
      #""rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "factor": 3}"#,
      .linear(factor: 3)
    ),
    (
      #""rope_scaling": {"type": "linear", "factor": 5}, "rope_parameters": {"rope_type": "default"}"#,
      .linear(factor: 5)
    ),
    (
      """
      "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1,
        "high_freq_factor": 4}
      """,
      .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 2048)
    ),
  ])
  func ropeScalings(setting: String, expected: RopeScaling) throws {
    #expect(
      try read("{\"model_type\": \"llama\", \(Self.sizes), \(setting)}").ropeScaling == expected)
  }

  /// LongRoPE has two sets of divisors, one for texts within the original context.
  @Test func longropeHasTwoSetsOfDivisors() throws {
    let factors = "\"short_factor\": [1, 2, 3, 4], \"long_factor\": [5, 6, 7, 8]"
    let read = try read(
      """
      {"model_type": "phi3", \(Self.sizes), "max_position_embeddings": 4096,
       "original_max_position_embeddings": 1024, "eos_token_id": 2,
       "rope_scaling": {"type": "longrope", \(factors)}}
      """)
    #expect(read.maximumContext == 4096 && read.evenContext == 1024)
    guard case .longrope(let long) = read.ropeScaling else {
      Issue.record("no longrope: \(read.ropeScaling)")
      return
    }
    // √(1 + ln 4 / ln 1024)
    #expect(abs(long.magnitude - 1.0954451) < 1e-6)
    let plain = RopeScaling.none.frequencies(dimension: 8, theta: 10_000)
    let frequencies = read.ropeScaling.frequencies(dimension: 8, theta: 10_000)
    for (index, (before, after)) in zip(plain, frequencies).enumerated() {
      #expect(abs(before / after - Double(index + 1)) < 1e-9)
    }
    let others = read.ropeScaling.forLongTexts.frequencies(dimension: 8, theta: 10_000)
    for (index, (before, after)) in zip(plain, others).enumerated() {
      #expect(abs(before / after - Double(index + 5)) < 1e-9)
    }
  }

  /// GLM's own ends count where no file names one, as in transformers 5.
  @Test func endTokensOfFilesThatNameNone() throws {
    func config(_ more: String) -> String {
      """
      {"model_type": "glm", "vocab_size": 151552, "hidden_size": 32, "intermediate_size": 48,
       "num_hidden_layers": 1, "num_attention_heads": 4, "head_dim": 8\(more)}
      """
    }
    let usual: [Token] = [151_329, 151_336, 151_338]
    #expect(try read(config("")).endTokens == usual)
    #expect(try read(config(", \"eos_token_id\": null")).endTokens == usual)
    #expect(try read(config(", \"eos_token_id\": 7")).endTokens == [7])
    #expect(
      try read(config(", \"eos_token_id\": null"), generation: "{\"eos_token_id\": [8, 9]}")
        .endTokens == [8, 9])
    #expect(try read("{\"model_type\": \"glm\", \(Self.sizes)}").endTokens == [])
  }

  /// All that either file names end a text; the generation settings' come first.
  @Test func endTokensOfBothFilesEnd() throws {
    let config = "{\"model_type\": \"llama\", \(Self.sizes), \"eos_token_id\": 5}"
    #expect(try read(config).endTokens == [5])
    #expect(try read(config, generation: "{}").endTokens == [5])
    #expect(try read(config, generation: "{\"eos_token_id\": null}").endTokens == [5])
    #expect(try read(config, generation: "{\"eos_token_id\": 7}").endTokens == [7, 5])
    #expect(try read(config, generation: "{\"eos_token_id\": [7, 5, 8]}").endTokens == [7, 5, 8])
    #expect(try read(config, generation: "{\"eos_token_id\": []}").endTokens == [5])
    #expect(try read(config, generation: "{\"bos_token_id\": 4}").beginToken == 4)
    #expect(
      try read("{\"model_type\": \"llama\", \(Self.sizes), \"eos_token_id\": null}").endTokens
        == [])
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: "../shared/data/models/tinystories-656k"),
      "needs ../shared/data"))
  func aModelMadeElsewhere() throws {
    let actual = try ModelConfiguration(
      directory: URL(fileURLWithPath: "../shared/data/models/tinystories-656k"))
    #expect(
      actual
        == ModelConfiguration(
          family: .llama, vocabularySize: 2048, hiddenSize: 128, intermediateSize: 384,
          layerCount: 2, headCount: 8, keyValueHeadCount: 4, tiesEmbeddings: true,
          maximumContext: 512, endTokens: [2], beginToken: 1, elementType: .f32))
  }
}
