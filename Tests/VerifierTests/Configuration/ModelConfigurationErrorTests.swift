import Files
import Foundation
import TestSupport
import Testing
import Verifier

/// What is said of a `config.json` that can't be used.
@Suite struct ModelConfigurationErrorTests {
  /// A change to a good file, and the error without the file's name.
  struct Mistake: CustomTestStringConvertible, Sendable {
    let family: String
    let changes: [String: String?]
    let problem: String
    var testDescription: String { problem }

    init(_ changes: [String: String?], _ problem: String) {
      self.init("llama", changes, problem)
    }

    init(_ family: String, _ changes: [String: String?], _ problem: String) {
      self.family = family
      self.changes = changes
      self.problem = problem
    }

    var config: String {
      var members = [
        "model_type": "\"\(family)\"", "vocab_size": "64", "hidden_size": "32",
        "intermediate_size": "48", "num_hidden_layers": "2", "num_attention_heads": "4",
        "num_key_value_heads": "2", "head_dim": "8",
      ]
      for (key, value) in changes { members[key] = value }
      return "{" + members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    }
  }

  static let architectures = FamilyRegistry.standard.families.map(\.architecture)
    .joined(separator: ", ")
  static let modelTypes = FamilyRegistry.standard.families.map(\.name).joined(separator: ", ")

  static let mistakes: [Mistake] = [
    // Which model.
    Mistake(
      ["model_type": nil],
      "architectures and model_type are missing; give the config.json of a causal model"),
    Mistake(
      ["model_type": "\"mamba\""],
      "the model type \"mamba\" is not supported, as it has recurrent layers, which can't go back to an "
        + "earlier token; use one of \(modelTypes)"),
    Mistake(
      ["architectures": "[\"Qwen3NextForCausalLM\"]"],
      "the architecture \"Qwen3NextForCausalLM\" is not supported, as it has recurrent layers, which "
        + "can't go back to an earlier token; use one of \(architectures)"),
    Mistake(["model_type": "3"], "model_type is not a string; correct it"),
    Mistake(
      ["architectures": "[\"DeepseekV3ForCausalLM\"]"],
      "the architecture \"DeepseekV3ForCausalLM\" is not supported; use one of \(architectures)"),
    Mistake(
      ["architectures": "[\"MistralForCausalLM\"]"],
      "architectures says MistralForCausalLM, but model_type says \"llama\"; correct one of them"),
    Mistake(["architectures": "[1]"], "architectures is not a list of strings; correct it"),
    // Sizes.
    Mistake(
      ["vocab_size": nil], "vocab_size is missing; add it or download the file again"),
    Mistake(
      ["hidden_size": "null"], "hidden_size is missing; add it or download the file again"),
    Mistake(["hidden_size": "\"32\""], "hidden_size is not an integer; correct it"),
    Mistake(["hidden_size": "32.0"], "hidden_size is not an integer; correct it"),
    Mistake(["vocab_size": "0"], "vocab_size is 0, but must be from 1 to 16777216"),
    Mistake(["vocab_size": "99999999"], "vocab_size is 99999999, but must be from 1 to 16777216"),
    Mistake(["hidden_size": "-32"], "hidden_size is -32, but must be from 1 to 131072"),
    Mistake(
      ["hidden_size": "9223372036854775807"],
      "hidden_size is 9223372036854775807, but must be from 1 to 131072"),
    Mistake(
      ["intermediate_size": "0"], "intermediate_size is 0, but must be from 1 to 1048576"),
    Mistake(["num_hidden_layers": "0"], "num_hidden_layers is 0, but must be from 1 to 4096"),
    Mistake(
      ["num_attention_heads": "0"], "num_attention_heads is 0, but must be from 1 to 4096"),
    Mistake(
      ["num_attention_heads": "0", "head_dim": nil],
      "num_attention_heads is 0, but must be from 1 to 4096"),
    Mistake(
      ["num_key_value_heads": "0"], "num_key_value_heads is 0, but must be from 1 to 4096"),
    Mistake(
      ["num_key_value_heads": "3"],
      "num_attention_heads is 4, but must be a multiple of num_key_value_heads, 3"),
    Mistake(
      ["num_key_value_heads": "8"],
      "num_attention_heads is 4, but must be a multiple of num_key_value_heads, 8"),
    Mistake(["head_dim": "7"], "head_dim is 7, but must be even for rotary embedding"),
    Mistake(["head_dim": "0"], "head_dim is 0, but must be from 2 to 1024"),
    Mistake(
      ["head_dim": nil, "hidden_size": "30"],
      "hidden_size is 30, but must be a multiple of num_attention_heads, 4"),
    Mistake(
      ["max_position_embeddings": "0"],
      "max_position_embeddings is 0, but must be from 1 to 1073741824"),
    Mistake(["rms_norm_eps": "-1"], "rms_norm_eps is -1.0, but must be from 0.0 to 1.0"),
    Mistake(["rms_norm_eps": "\"1e-6\""], "rms_norm_eps is not a number; correct it"),
    Mistake(["tie_word_embeddings": "1"], "tie_word_embeddings is not true or false; correct it"),
    // Tokens.
    Mistake(
      ["eos_token_id": "64"],
      "eos_token_id is 64, but must be below vocab_size, 64; correct it"),
    Mistake(
      ["eos_token_id": "[2, -1]"],
      "eos_token_id is -1, but must be below vocab_size, 64; correct it"),
    Mistake(
      ["eos_token_id": "[2, \"x\"]"],
      "eos_token_id is not an integer or a list of integers; correct it"),
    Mistake(
      ["bos_token_id": "99"], "bos_token_id is 99, but must be below vocab_size, 64; correct it"),
    // Rotary embedding.
    Mistake(["rope_theta": "0"], "rope_theta is 0.0, but must be from 1.0 to 1000000000000000.0"),
    Mistake(["rope_scaling": "2"], "rope_scaling is not an object; correct it"),
    Mistake(
      ["rope_scaling": "{\"rope_type\": \"yarn2\", \"factor\": 4}"],
      "rope scaling of type \"yarn2\" is not supported; only default, linear, dynamic, llama3, yarn "
        + "and longrope are"),
    Mistake(
      ["rope_scaling": "{\"type\": \"dynamic\"}"],
      "rope_scaling.factor is missing; add it or download the file again"),
    Mistake(
      ["rope_scaling": "{\"rope_type\": \"yarn\", \"factor\": 4, \"beta_slow\": -1}"],
      "rope_scaling.beta_slow is -1.0, but must be from 1e-06 to 1000000.0"),
    Mistake(
      ["rope_parameters": "{\"rope_type\": \"longrope\"}"],
      "rope_parameters.short_factor is missing; add it or download the file again"),
    Mistake(
      [
        "rope_scaling":
          "{\"type\": \"longrope\", \"short_factor\": [1, 1, 1], \"long_factor\": [1, 1, 1, 1]}"
      ],
      "rope_scaling.short_factor has 3 values, but 4 are needed, one for each two values that are "
        + "rotated"),
    Mistake(
      [
        "rope_scaling": """
        {"type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 0, 1, 1]}
        """
      ],
      "rope_scaling.long_factor is 0.0, but must be from 1e-06 to 1000000.0"),
    Mistake(
      ["rope_scaling": "{\"type\": \"linear\"}"],
      "rope_scaling.factor is missing; add it or download the file again"),
    Mistake(
      ["rope_scaling": "{\"type\": \"linear\", \"factor\": 0.5}"],
      "rope_scaling.factor is 0.5, but must be from 1.0 to 1000000.0"),
    Mistake(
      [
        "rope_scaling": """
        {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}
        """
      ],
      "rope_scaling.low_freq_factor is 4.0, but must be below high_freq_factor, 4.0"),
    Mistake(
      ["rope_parameters": "{\"rope_theta\": 1e4, \"partial_rotary_factor\": 0.5}"],
      "rope_parameters.partial_rotary_factor 0.5 is not supported; only 1 is"),
    Mistake(
      ["rope_parameters": "{\"full_attention\": {\"rope_theta\": 1e4}}"],
      "rope_parameters.full_attention, rotary settings per layer, is not supported"),
    Mistake(
      "qwen2", ["rope_scaling": "{\"type\": \"default\", \"mrope_section\": [2, 1, 1]}"],
      "rope_scaling.mrope_section, multimodal rope, is not supported"),
    // Features.
    Mistake(["hidden_act": "\"gelu\""], "hidden_act \"gelu\" is not supported; only silu is"),
    Mistake(
      ["quantization_config": "{\"quant_method\": \"gptq\"}"],
      "quantised weights (quantization_config) is not supported; use a checkpoint without it"),
    Mistake(
      [
        "quantization_config":
          "{\"quant_method\": \"speculate\", \"group_size\": 64, \"weights\": \"int8\"}"
      ],
      "quantization_config.group_size must be 32; convert the model again"),
    Mistake(
      [
        "quantization_config":
          "{\"quant_method\": \"speculate\", \"group_size\": 32, \"weights\": \"int2\"}"
      ],
      "quantization_config.weights is \"int2\", but must be one of f32, bf16, int8, int4, "
        + "q4_1, q5_0, q5_1, mxfp4, q2_k, q3_k, q4_k, q5_k, q6_k; convert the model again"),
    Mistake(
      "qwen3", ["num_experts": "8"],
      "a mixture of experts (num_experts) is not supported; use a checkpoint without it"),
    Mistake(
      ["partial_rotary_factor": "0.5"],
      "rotating a part of each head (partial_rotary_factor) is not supported; use a checkpoint "
        + "without it"),
    Mistake(
      ["attention_sinks": "true"],
      "attention sinks (attention_sinks) is not supported; use a checkpoint without it"),
    Mistake(
      "mistral", ["attention_bias": "true"],
      "attention_bias is not supported for Mistral models; set it to false"),
    Mistake(
      "qwen3", ["mlp_bias": "true"],
      "mlp_bias is not supported for Qwen3 models; set it to false"),
    // Settings of other families.
    Mistake(
      ["final_logit_softcapping": "30.0"],
      "soft-capped logits (final_logit_softcapping) is not supported; use a checkpoint without it"),
    Mistake(
      "qwen3", ["residual_multiplier": "0.2"],
      "scaled residuals (residual_multiplier) is not supported; use a checkpoint without it"),
    Mistake(
      "olmo2", ["no_rope_layers": "[1, 0]"],
      "layers without rope (no_rope_layers) is not supported; use a checkpoint without it"),
    Mistake(
      "gemma2", ["use_bidirectional_attention": "true"],
      "attention to what follows (use_bidirectional_attention) is not supported; use a checkpoint "
        + "without it"),
    Mistake(
      ["attention_chunk_size": "8192"],
      "chunked attention (attention_chunk_size) is not supported; use a checkpoint without it"),
    Mistake(
      "granite", ["attention_multiplier": "0"],
      "attention_multiplier is 0.0, but must be from 1e-09 to 1000000000.0"),
    Mistake(
      "gemma2", ["hidden_activation": "\"relu\""],
      "hidden_activation \"relu\" is not supported; only gelu_pytorch_tanh is"),
    Mistake(
      "gemma2", ["hidden_act": "\"silu\"", "hidden_activation": "\"gelu_pytorch_tanh\""],
      "hidden_act and hidden_activation name the same setting, but differ; remove one"),
    Mistake(
      "ernie4_5", ["use_bias": "1"], "use_bias is not true or false; correct it"),
    Mistake(
      "smollm3", ["no_rope_layers": "[1]"],
      "no_rope_layers names 1 layers, but num_hidden_layers is 2; correct one of them"),
    Mistake(
      "smollm3", ["no_rope_layer_interval": "0"],
      "no_rope_layer_interval is 0, but must be above 0"),
    Mistake(
      "gemma3_text", ["sliding_window_pattern": "0"],
      "sliding_window_pattern is 0, but must be above 0"),
    Mistake(
      "exaone4", ["layer_types": "[\"full_attention\", \"full_attention\"]"],
      "layer_types has no sliding_attention; set sliding_window to null"),
    Mistake(
      "gemma3_text", ["rope_local_base_freq": "0"],
      "rope_local_base_freq is 0.0, but must be from 1.0 to 1000000000000000.0"),
    // Windows.
    Mistake(
      "mistral", ["sliding_window": "0"], "sliding_window is 0, but must be from 1 to 1073741824"),
    Mistake(
      "qwen2", ["layer_types": "[\"full_attention\"]"],
      "layer_types names 1 layers, but num_hidden_layers is 2; correct one of them"),
    Mistake(
      "qwen2", ["layer_types": "[\"full_attention\", \"linear_attention\"]"],
      "layer_types: layers of type \"linear_attention\" are not supported"),
    Mistake(
      "qwen3", ["layer_types": "[\"full_attention\", \"sliding_attention\"]"],
      "layer_types has sliding_attention, but no sliding window is in use; set sliding_window"),
    Mistake(
      "mistral", ["layer_types": "[\"full_attention\", \"sliding_attention\"]"],
      "layer_types: full_attention beside a sliding window is not supported"),
  ]

  @Test(arguments: mistakes)
  func mistakesAreNamed(mistake: Mistake) throws {
    let folder = try TemporaryFolder(config: mistake.config)
    let path = folder.url.appendingPathComponent("config.json").path
    #expect(throws: SpeculateError("\(path): \(mistake.problem)")) {
      try ModelConfiguration(directory: folder.url)
    }
  }

  @Test func filesThatAreNoConfigurationAreNamed() throws {
    let none = try TemporaryFolder()
    #expect(
      throws: SpeculateError(
        "\(none.url.path): there is no config.json; give the folder of a checkpoint in Hugging "
          + "Face layout")
    ) { try ModelConfiguration(directory: none.url) }
    for (text, problem) in [
      (
        "",
        "not valid JSON at byte 0: the document ends where a value should stand; correct the file or download it again"
      ),
      ("[1]", "is not a JSON object; correct or download it again"),
      (
        "{\"a\":1,\"a\":2}",
        "not valid JSON at byte 7: \"a\" appears twice; correct the file or download it again"
      ),
      (
        "{\"hidden_size\": 1e400}",
        "not valid JSON at byte 16: the number is out of range; correct the file or download it again"
      ),
    ] {
      let folder = try TemporaryFolder(config: text)
      #expect(throws: SpeculateError("\(folder.url.path)/config.json: \(problem)")) {
        try ModelConfiguration(directory: folder.url)
      }
    }
    let broken = try TemporaryFolder(
      config: Mistake([:], "").config, generation: "{\"eos_token_id\": 640}")
    #expect(
      throws: SpeculateError(
        "\(broken.url.path)/generation_config.json: eos_token_id is 640, but must be below "
          + "vocab_size, 64; correct it")
    ) { try ModelConfiguration(directory: broken.url) }
  }

  /// Random damage to a file with every setting is refused with one line or gives a model that
  /// passes its own check.
  @Test func mutatedFiles() throws {
    let folder = try TemporaryFolder()
    let sample = ModelConfigurationWritingTests.samples[2]
    let good = Array(try sample.encoded())
    var random = SplitMix(seed: 5)
    var loaded = 0
    for _ in 0..<3000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
      try folder.write(bytes, to: "config.json")
      do {
        let configuration = try ModelConfiguration(directory: folder.url)
        try configuration.check()
        _ = try configuration.encoded()
        loaded += 1
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
    #expect(loaded > 300 && loaded < 2500)
  }
}
