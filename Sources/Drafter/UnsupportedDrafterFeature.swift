internal import Files

/// Settings of published drafters that change the computation in ways that are not implemented.
///
/// Ignoring one would cost nearly all acceptance without a word, so each is an error that names it.
struct UnsupportedDrafterFeature {
  let key: String
  let meaning: String
  /// The values that mean the feature is off; `null` always does.
  var neutral: [JSONValue] = []

  private static let off: [JSONValue] = [.bool(false), .integer(0), .number(0)]
  private static let one: [JSONValue] = [.integer(1), .number(1)]

  static let all: [UnsupportedDrafterFeature] = [
    .init(key: "is_causal", meaning: "causal attention in every layer", neutral: off),
    .init(key: "is_neox_style", meaning: "interleaved rope", neutral: [.bool(true)]),
    .init(key: "rope_interleave", meaning: "interleaved rope", neutral: off),
    .init(key: "partial_rotary_factor", meaning: "rotating a part of each head", neutral: one),
    .init(key: "final_logit_softcapping", meaning: "soft-capped logits", neutral: off),
    .init(key: "attn_logit_softcapping", meaning: "soft-capped attention", neutral: off),
    .init(key: "output_multiplier", meaning: "scaled logits", neutral: one),
    .init(key: "logit_scale", meaning: "scaled logits", neutral: one),
    .init(key: "logits_scaling", meaning: "scaled logits", neutral: one),
    .init(key: "input_embedding_scale", meaning: "scaled embeddings", neutral: one),
    .init(key: "embedding_multiplier", meaning: "scaled embeddings", neutral: one),
    .init(key: "residual_multiplier", meaning: "scaled residuals", neutral: one),
    .init(key: "attention_value_scale", meaning: "scaled values", neutral: one),
    .init(key: "attention_multiplier", meaning: "scaled attention"),
    .init(key: "query_pre_attn_scalar", meaning: "scaled attention"),
    .init(key: "projector_type", meaning: "another projection of features"),
    .init(key: "attention_sinks", meaning: "attention sinks", neutral: off),
    .init(key: "use_attention_sinks", meaning: "attention sinks", neutral: off),
    .init(key: "sinks", meaning: "attention sinks", neutral: off),
    .init(key: "fused_qkv", meaning: "fused projections", neutral: off),
    .init(key: "attention_bias", meaning: "biases in attention", neutral: off),
    .init(key: "mlp_bias", meaning: "biases in the feed-forward part", neutral: off),
    .init(key: "use_sliding_window", meaning: "windows of attention", neutral: off),
    .init(key: "conv_kernel_size", meaning: "a convolution over the block", neutral: off),
    .init(key: "conv_group_size", meaning: "a convolution over the block", neutral: off),
    .init(key: "selector_rank", meaning: "a candidate selector", neutral: off),
    .init(key: "selector_top_k", meaning: "a candidate selector", neutral: off),
    .init(key: "use_swa", meaning: "windows of attention in all layers", neutral: off),
    .init(key: "swa_window_size", meaning: "windows of attention in all layers", neutral: off),
    .init(key: "causal", meaning: "causal attention in every layer", neutral: off),
    .init(key: "shift_label", meaning: "rows that foretell the next token", neutral: off),
  ]

  /// Refuses a configuration that uses a feature which is not implemented.
  ///
  /// - Parameters:
  ///   - section: A part of the file that describes the drafter.
  ///   - understood: Keys that are read.
  static func check(_ section: ConfigurationFile, understood: Set<String>) throws {
    for feature in all where !understood.contains(feature.key) {
      guard let value = section.value(feature.key), !feature.neutral.contains(value) else {
        continue
      }
      throw section.problem(
        "'\(section.name(of: feature.key))', \(feature.meaning), is not supported in drafters; use "
          + "another drafter, or none")
    }
  }
}
