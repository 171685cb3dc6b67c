extension LayerTensor {
  /// What GGUF files call the tensor in a layer.
  package func ggufName(layer: Int) -> String {
    let name =
      switch self {
      case .mixerNorm: "attn_norm.weight"
      case .mixerPostNorm: "post_attention_norm.weight"
      case .query: "attn_q.weight"
      case .key: "attn_k.weight"
      case .value: "attn_v.weight"
      case .output: "attn_output.weight"
      case .queryBias: "attn_q.bias"
      case .keyBias: "attn_k.bias"
      case .valueBias: "attn_v.bias"
      case .outputBias: "attn_output.bias"
      case .queryNorm: "attn_q_norm.weight"
      case .keyNorm: "attn_k_norm.weight"
      case .feedForwardNorm: "ffn_norm.weight"
      case .feedForwardPostNorm: "post_ffw_norm.weight"
      case .gate: "ffn_gate.weight"
      case .up: "ffn_up.weight"
      case .down: "ffn_down.weight"
      case .gateBias: "ffn_gate.bias"
      case .upBias: "ffn_up.bias"
      case .downBias: "ffn_down.bias"
      }
    return "blk.\(layer).\(name)"
  }
}
