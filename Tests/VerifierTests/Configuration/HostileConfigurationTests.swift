import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Configurations with values of all sizes and types are read or refused with a line; none traps.
@Suite struct HostileConfigurationTests {
  private static func sample(_ type: String) -> String {
    """
    {"model_type": "\(type)", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
    "max_position_embeddings": 128, "max_window_layers": 1, "sliding_window": 16,
    "use_sliding_window": true, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings":
    true, "eos_token_id": [2, 3], "bos_token_id": 1, "torch_dtype": "bfloat16", "hidden_act": "silu",
    "attention_bias": false, "partial_rotary_factor": 1.0, "rope_scaling": {"rope_type": "llama3",
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64}}
    """
  }

  /// Samples with settings that only some families have.
  private static let samples: [String: String] = {
    let (silu, gelu) = (#""hidden_act": "silu""#, #""hidden_act": "gelu_pytorch_tanh""#)
    let llama3 = #""rope_type": "llama3""#
    let longrope =
      #""rope_type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1, 2, 2]"#
    let experts = #", "num_experts_per_tok": 2, "num_local_experts": 4"#
    let changes = [
      ("mixtral", silu, silu + experts),
      (
        "qwen2_moe", silu,
        silu + experts
          + #", "moe_intermediate_size": 16, "shared_expert_intermediate_size": 8, "norm_topk_prob""#
          + #": true, "mlp_only_layers": [1], "decoder_sparse_step": 1"#
      ), ("gpt_oss", silu, silu + experts + #", "swiglu_limit": 7.0, "swiglu_alpha": 1.702"#),
      ("llama", silu, silu), ("mistral", silu, silu), ("qwen2", silu, silu), ("qwen3", silu, silu),
      ("gemma2", silu, gelu + #", "attn_logit_softcapping": 50.0"#),
      ("gemma3_text", silu, gelu + #", "rope_local_base_freq": 1e4"#),
      ("smollm3", #""use_sliding_window": true"#, #""no_rope_layers": [1, 0, 1]"#),
      ("granite", silu, silu + #", "attention_multiplier": 0.1, "logits_scaling": 8.0"#),
      ("exaone4", silu, silu + #", "sliding_window_pattern": 2"#), ("phi3", llama3, longrope),
    ]
    return Dictionary(
      uniqueKeysWithValues: changes.map { ($0.0, sample($0.0).replacing($0.1, with: $0.2)) })
  }()

  @Test(arguments: samples.keys.sorted())
  func noValueTraps(type: String) throws {
    let sample = try #require(Self.samples[type])
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: 5)
    var read = 0
    for _ in 0..<fuzzRounds(600) {
      try folder.write(makeHostile(sample, &random).utf8, to: "config.json")
      do {
        let configuration = try ModelConfiguration(directory: folder.url)
        let last = configuration.layerCount - 1
        _ = (configuration.layout(ofLayer: last), configuration.usesWindow(layer: last))
        _ = configuration.design(ofLayer: 0).attention.rope.frequencies.count
        read += 1
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
    #expect(read > 4)
  }

  @Test(arguments: ["1e300", "-1e300", "0", "-0.5", "1.5"])
  func aShareOfAHeadIsBounded(share: String) throws {
    let folder = try TemporaryFolder()
    let text = """
      {"model_type": "exercise", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48,
      "num_hidden_layers": 3, "num_attention_heads": 4, "partial_rotary_factor": \(share)}
      """
    try folder.write(text.utf8, to: "config.json")
    #expect(throws: SpeculateError.self) {
      try ModelConfiguration(
        directory: folder.url, families: FamilyRegistry([.exercise]))
    }
  }
}
