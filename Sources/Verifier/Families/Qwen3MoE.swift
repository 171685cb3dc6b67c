import Tensors

extension ModelFamily {
  /// Qwen 3 with experts.
  package static let qwen3MoE: ModelFamily = {
    var family = ModelFamily(name: "qwen3_moe", architecture: "Qwen3MoeForCausalLM")
    family.keys = ["num_local_experts": "num_experts"]
    family.defaults.context = 32_768
    family.defaults.keyValueHeadCount = 4
    family.inputBias = .configured
    family.outputBias = .configured
    family.headNorms = .each
    family.windows = .everyLayerIfUsed
    var experts = ExpertKeys()
    experts.haveOwnWidth = true
    experts.areSparse = true
    family.experts = experts
    family.tensors.layer.fusedExperts = .qwen
    return family
  }()
}
