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

  static let all: [UnsupportedFeature] =
    [
      .init(key: "quantization_config", meaning: "quantised weights"),
      .init(key: "quantization", meaning: "quantised weights"),
      .init(key: "num_experts", meaning: "a mixture of experts", neutral: off),
      .init(key: "num_local_experts", meaning: "a mixture of experts", neutral: off),
      .init(key: "n_routed_experts", meaning: "a mixture of experts", neutral: off),
      .init(key: "moe_intermediate_size", meaning: "a mixture of experts", neutral: off),
      .init(key: "partial_rotary_factor", meaning: "rotating a part of each head", neutral: one),
      .init(key: "use_mrope", meaning: "multimodal rope", neutral: off),
      .init(key: "no_rope_layers", meaning: "layers without rope", neutral: [.array([])]),
      .init(
        key: "position_embedding_type", meaning: "positions of another kind",
        neutral: [.string("rope")]),
      .init(key: "use_bidirectional_attention", meaning: "attention to what follows", neutral: off),
      .init(
        key: "hidden_activation", meaning: "another activation",
        neutral: [.string("gelu_pytorch_tanh")]),
      .init(key: "attention_sinks", meaning: "attention sinks", neutral: off),
      .init(key: "use_attention_sinks", meaning: "attention sinks", neutral: off),
      .init(key: "num_sink_tokens", meaning: "attention sinks", neutral: off),
      .init(key: "attention_chunk_size", meaning: "chunked attention", neutral: off),
      .init(key: "qk_layernorm", meaning: ModelSwitch.headNorms.meaning, neutral: off),
      .init(
        key: "scale_attn_weights", meaning: "attention without a scale", neutral: [.bool(true)]),
      .init(
        key: "scale_attn_by_inverse_layer_idx", meaning: "attention scaled by layers",
        neutral: off),
      .init(key: "alibi", meaning: "attention biased by distance", neutral: off),
      .init(key: "is_encoder_decoder", meaning: "an encoder", neutral: off),
      .init(key: "add_cross_attention", meaning: "cross-attention", neutral: off),
    ]
    + ModelFactor.allCases.map {
      .init(key: $0.rawValue, meaning: $0.meaning, neutral: $0.neutral)
    }
    + ModelSwitch.allCases.map { .init(key: $0.rawValue, meaning: $0.meaning, neutral: off) }

  /// The `quant_method` of models that `speculate convert` wrote.
  static let ownMethod = "speculate"

  /// Whether a section about quantisation is one that `speculate convert` wrote.
  static func isOwn(_ section: ConfigurationFile) throws -> Bool {
    try section.text("quant_method") == ownMethod
  }

  private static func isReadQuantization(
    _ feature: UnsupportedFeature, _ file: ConfigurationFile, _ family: ModelFamily
  ) throws -> Bool {
    guard feature.key == "quantization_config", let section = try file.section(feature.key) else {
      return false
    }
    return try isOwn(section)
      || family.experts?.mayBeMXFP4 ?? false && section.text("quant_method") == "mxfp4"
  }

  /// Refuses a configuration that uses a feature which is not implemented, or not in this family.
  static func check(_ file: ConfigurationFile, family: ModelFamily) throws {
    for (usual, own) in family.keys.sorted(by: { $0.key < $1.key }) {
      if let one = file.members[usual], let other = file.members[own], one != other,
        !family.unused.contains(usual)
      {
        throw file.problem("\(usual) and \(own) name the same setting, but differ; remove one")
      }
    }
    let read = family.optionalKeys.union(family.keys.values)
    for feature in all
    where try !read.contains(feature.key) && !isReadQuantization(feature, file, family) {
      guard let value = file.value(feature.key), !feature.neutral.contains(value) else { continue }
      throw file.problem(
        "\(feature.meaning) (\(feature.key)) is not supported; use a checkpoint without it")
    }
    if family.inputBias == .never, try file.bool("attention_bias") ?? false {
      throw file.problem(
        "\(file.name(of: "attention_bias")) is not supported for \(family.title) models; set it to "
          + "false")
    }
    if family.feedForwardBias == .never, try file.bool("mlp_bias") ?? false {
      throw file.problem(
        "\(file.name(of: "mlp_bias")) is not supported for \(family.title) models; set it to false")
    }
  }
}
