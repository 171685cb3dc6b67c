import Tensors

extension ModelFamily {
  /// OLMo 2: norms after attention and feed-forward part, and over all query and key heads together.
  package static let olmo2: ModelFamily = {
    var family = ModelFamily(name: "olmo2", architecture: "Olmo2ForCausalLM")
    family.defaults.normEpsilon = 1e-5
    family.defaults.endToken = 50_279
    family.inputBias = .configured
    family.outputBias = .configured
    family.headNorms = .together
    family.mixerNorms = .after
    family.feedForwardNorms = .after
    family.tensors.layer.mixerPostNorm = "post_attention_layernorm"
    return family
  }()

  /// OLMo 3: windows in three of four layers, whose rotation is never stretched.
  package static let olmo3: ModelFamily = {
    var family = ModelFamily.olmo2
    (family.name, family.architecture) = ("olmo3", "Olmo3ForCausalLM")
    family.defaults.ropeTheta = 500_000
    family.windows = .pattern(4)
    family.rotation.windowed = .own(nil)
    return family
  }()
}
