import Files
import Tensors

/// Settings of `config.json` that change the computation in ways that are not implemented.
///
/// Ignoring one would give wrong text without a word, so each is an error that names it.
struct UnsupportedFeature {
  let key: String
  let meaning: String
  /// The values that mean the feature is off; `null` always does.
  var neutral: [JSONValue] = []

  private static let off: [JSONValue] = [.bool(false), .integer(0)]
  private static let one: [JSONValue] = [.integer(1), .number(1)]

  static let all: [UnsupportedFeature] = [
    .init(key: "quantization_config", meaning: "quantised weights"),
    .init(key: "quantization", meaning: "quantised weights"),
    .init(key: "num_experts", meaning: "a mixture of experts", neutral: off),
    .init(key: "num_local_experts", meaning: "a mixture of experts", neutral: off),
    .init(key: "n_routed_experts", meaning: "a mixture of experts", neutral: off),
    .init(key: "moe_intermediate_size", meaning: "a mixture of experts", neutral: off),
    .init(key: "partial_rotary_factor", meaning: "rotating a part of each head", neutral: one),
    .init(key: "use_mrope", meaning: "multimodal rope", neutral: off),
    .init(key: "no_rope_layers", meaning: "layers without rope", neutral: [.array([])]),
    .init(key: "attn_logit_softcapping", meaning: "soft-capped attention"),
    .init(key: "final_logit_softcapping", meaning: "soft-capped logits"),
    .init(key: "attention_sinks", meaning: "attention sinks", neutral: off),
    .init(key: "use_attention_sinks", meaning: "attention sinks", neutral: off),
    .init(key: "num_sink_tokens", meaning: "attention sinks", neutral: off),
    .init(key: "attention_chunk_size", meaning: "chunked attention", neutral: off),
    .init(key: "clip_qkv", meaning: "clipped projections"),
    .init(key: "logit_scale", meaning: "scaled logits", neutral: one),
    .init(key: "logits_scaling", meaning: "scaled logits", neutral: one),
    .init(key: "embedding_multiplier", meaning: "scaled embeddings", neutral: one),
    .init(key: "residual_multiplier", meaning: "scaled residuals", neutral: one),
    .init(key: "attention_multiplier", meaning: "scaled attention"),
    .init(key: "query_pre_attn_scalar", meaning: "scaled attention"),
    .init(key: "is_encoder_decoder", meaning: "an encoder", neutral: off),
    .init(key: "add_cross_attention", meaning: "cross-attention", neutral: off),
  ]

  /// The `quant_method` of models that `speculate convert` wrote.
  static let ownMethod = "speculate"

  private static func isOwnQuantization(
    _ feature: UnsupportedFeature, _ file: ConfigurationFile
  ) throws -> Bool {
    guard feature.key == "quantization_config", let section = try file.section(feature.key) else {
      return false
    }
    return try section.text("quant_method") == ownMethod
  }

  /// Refuses a configuration that uses a feature which is not implemented.
  static func check(_ file: ConfigurationFile, family: ModelFamily) throws {
    let read = family.rotatedShare == nil ? [] : ["partial_rotary_factor"]
    for feature in all where try !read.contains(feature.key) && !isOwnQuantization(feature, file) {
      guard let value = file.value(feature.key), !feature.neutral.contains(value) else { continue }
      throw file.problem(
        "\(feature.meaning) (\(feature.key)) is not supported; use a checkpoint without it")
    }
    if let activation = try file.text("hidden_act"), !family.activation.names.contains(activation) {
      throw file.problem(
        "hidden_act \(quoted(activation)) is not supported; only \(family.activation.rawValue) is")
    }
    if family.inputBias == .never, try file.bool("attention_bias") ?? false {
      throw file.problem(
        "attention_bias is not supported for \(family.title) models; set it to false")
    }
    if family.feedForwardBias == .never, try file.bool("mlp_bias") ?? false {
      throw file.problem("mlp_bias is only supported for Llama models; set it to false")
    }
  }
}
