import Files
package import Foundation
import Tensors

extension ModelConfiguration {
  /// The configuration as a `config.json` that `transformers` 4 and 5 load.
  ///
  /// Reading it back with `init(directory:)` gives the same configuration.
  ///
  /// - Throws: `SpeculateError` if the configuration is not one that can be loaded again.
  package func encoded() throws -> Data {
    try check()
    var members: [String: JSONValue] = [
      "architectures": .array([.string(family.architecture)]),
      "model_type": .string(family.name),
      "vocab_size": .integer(vocabularySize),
      "hidden_size": .integer(hiddenSize),
      "intermediate_size": .integer(intermediateSize),
      "num_hidden_layers": .integer(layerCount),
      "num_attention_heads": .integer(headCount),
      "num_key_value_heads": .integer(keyValueHeadCount),
      "head_dim": .integer(headDimension),
      "hidden_act": .string(activation.rawValue),
      // The shortest decimal of the f32, not the longer one of the double it widens to.
      "rms_norm_eps": .number(Double("\(normEpsilon)") ?? Double(normEpsilon)),
      "rope_theta": .number(ropeTheta),
      "rope_scaling": ropeScaling.encoded,
      "tie_word_embeddings": .bool(tiesEmbeddings),
      "max_position_embeddings": .integer(maximumContext),
      "attention_dropout": .number(0),
      "initializer_range": .number(0.02),
      "use_cache": .bool(true),
      "bos_token_id": beginToken.map { .integer(Int($0)) } ?? .null,
      "eos_token_id": encodedEndTokens,
    ]
    if family.inputBias == .configured { members["attention_bias"] = .bool(attentionBias) }
    if family.feedForwardBias == .configured { members["mlp_bias"] = .bool(mlpBias) }
    if family.rotation.share != nil { members["partial_rotary_factor"] = .number(rotatedShare) }
    if let windowedRope {
      members["rope_local_base_freq"] = .number(windowedRope.theta)
      if windowedRope.scaling != .none {
        members["rope_scaling"] = .null
        members["rope_parameters"] = .object([
          "full_attention": ropeScaling.encoded(theta: ropeTheta),
          "sliding_attention": windowedRope.scaling.encoded(theta: windowedRope.theta),
        ])
      }
    }
    if family.outputBias == .configuredApart { members["attention_out_bias"] = .bool(outputBias) }
    if family.rotation.unrotated == .allUnlessNamed {
      members["position_embedding_type"] = .string(unrotatedLayers.isEmpty ? "rope" : "nope")
    }
    if case .listed = family.rotation.unrotated {
      members["no_rope_layers"] = .array(
        (0..<layerCount).map { .integer(!unrotatedLayers.isEmpty && unrotatedLayers[$0] ? 0 : 1) })
    }
    for part in family.switches.keys {
      members[part.rawValue] =
        switch part {
        case .parallelLayers: .bool(flow != .sequential)
        case .headNorms: .bool(headNorms != .none)
        }
    }
    for factor in family.factors.keys {
      members[factor.rawValue] = factors[factor].map { .number($0) } ?? .null
    }
    if family.windows != .none {
      members["sliding_window"] = slidingWindow.map { .integer($0) } ?? .null
    }
    if family.windows.areMixed {
      members["layer_types"] = .array(
        (0..<layerCount).map {
          .string(usesWindow(layer: $0) ? "sliding_attention" : "full_attention")
        })
    }
    if family.windows.haveSwitch { members["use_sliding_window"] = .bool(slidingWindow != nil) }
    if family.windows == .chosenLayers {
      members["max_window_layers"] = .integer(
        (0..<layerCount).first(where: usesWindow) ?? layerCount)
    }
    if let experts { members.merge(experts.members(family)) { $1 } }
    switch elementType {
    case .f32: members["torch_dtype"] = .string("float32")
    case .f16: members["torch_dtype"] = .string("float16")
    case .bf16: members["torch_dtype"] = .string("bfloat16")
    case nil: break
    }
    if let quantization {
      members[Self.quantizationKey] = .object([
        "quant_method": .string(UnsupportedFeature.ownMethod),
        "group_size": .integer(WeightFormat.groupSize),
        "weights": .string(quantization.layers.rawValue),
        "head": .string(quantization.head.rawValue),
        "embedding": .string(quantization.embedding.rawValue),
      ])
    }
    let named = members.map { (family.key($0.key), $0.value) }
    // Two settings that share a key are equal, as the check has seen.
    return JSONValue.object(Dictionary(named) { first, _ in first }).encoded()
  }

  private var encodedEndTokens: JSONValue {
    switch endTokens.count {
    case 0: .null
    case 1: .integer(Int(endTokens[0]))
    default: .array(endTokens.map { .integer(Int($0)) })
    }
  }
}
