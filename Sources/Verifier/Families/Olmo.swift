import Tensors

extension ModelFamily {
  /// OLMo 1: Llama with LayerNorms that have no tensors.
  package static let olmo: ModelFamily = {
    var family = ModelFamily(name: "olmo", architecture: "OlmoForCausalLM")
    family.defaults.normEpsilon = 1e-5
    family.defaults.endToken = 50_279
    family.factors = [.clip: nil]
    family.inputBias = .configured
    family.outputBias = .configured
    family.norm = NormDesign(.layer, scale: .none)
    return family
  }()
}
