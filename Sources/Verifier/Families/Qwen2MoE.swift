import Tensors

extension ModelFamily {
  /// Qwen 1.5 and 2 with experts, one of them shared.
  package static let qwen2MoE: ModelFamily = {
    var family = ModelFamily(name: "qwen2_moe", architecture: "Qwen2MoeForCausalLM")
    family.keys = ["num_local_experts": "num_experts", "attention_bias": "qkv_bias"]
    family.defaults.context = 32_768
    family.defaults.keyValueHeadCount = 16
    family.defaults.attentionBias = true
    family.inputBias = .configured
    family.windows = .alternateLayers
    var experts = ExpertKeys()
    experts.haveOwnWidth = true
    experts.haveSharedOne = true
    experts.areSparse = true
    family.experts = experts
    family.tensors.layer.fusedExperts = .qwen
    return family
  }()
}

extension FusedExperts {
  /// As files hold them that `transformers` saved without taking experts apart.
  static let qwen = FusedExperts(gateUp: "mlp.experts.gate_up_proj", down: "mlp.experts.down_proj")
}
