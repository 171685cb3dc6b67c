import Tensors

extension ModelFamily {
  /// Mixtral: Mistral with experts.
  package static let mixtral: ModelFamily = {
    var family = ModelFamily(name: "mixtral", architecture: "MixtralForCausalLM")
    family.defaults.context = 131_072
    family.defaults.keyValueHeadCount = 8
    family.defaults.normEpsilon = 1e-5
    family.defaults.ropeTheta = 1_000_000
    family.defaults.window = nil
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.windows = .everyLayer
    var experts = ExpertKeys()
    experts.weighting = .always(.ofAllNormalized)
    family.experts = experts
    family.tensors.layer.router = "block_sparse_moe.gate"
    family.tensors.layer.experts = "block_sparse_moe.experts"
    family.tensors.layer.expertGate = "w1"
    family.tensors.layer.expertUp = "w3"
    family.tensors.layer.expertDown = "w2"
    return family
  }()
}
