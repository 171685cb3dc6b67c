import Tensors

extension ModelFamily {
  /// OLMoE: experts, and norms over all query and key heads.
  package static let olmoe: ModelFamily = {
    var family = ModelFamily(name: "olmoe", architecture: "OlmoeForCausalLM")
    family.keys = ["num_local_experts": "num_experts"]
    family.defaults.context = 4096
    family.defaults.normEpsilon = 1e-5
    family.defaults.endToken = 50_279
    family.factors = [.clip: nil]
    family.inputBias = .configured
    family.outputBias = .configured
    family.headNorms = .together
    family.experts = ExpertKeys()
    family.tensors.layer.fusedExperts = .qwen
    return family
  }()
}
