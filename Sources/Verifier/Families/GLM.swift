import Tensors

extension ModelFamily {
  /// GLM-4-9B: neighbours of half a head are rotated, gate and up are fused.
  package static let glm: ModelFamily = {
    var family = ModelFamily(name: "glm", architecture: "GlmForCausalLM")
    family.defaults.context = 131_072
    family.defaults.keyValueHeadCount = 2
    family.defaults.headDimension = 128
    family.defaults.normEpsilon = 1.5625e-7
    family.defaults.attentionBias = true
    family.defaults.usualEnds = [151_329, 151_336, 151_338]
    family.inputBias = .configured
    family.rotation.share = 0.5
    family.rotation.pairs = .neighbours
    family.tensors.layer.gateUp = "mlp.gate_up_proj"
    return family
  }()

  /// GLM-4-0414: the same with norms after attention and feed-forward part as well.
  package static let glm4: ModelFamily = {
    var family = ModelFamily.glm
    (family.name, family.architecture) = ("glm4", "Glm4ForCausalLM")
    family.mixerNorms = .both
    family.feedForwardNorms = .both
    family.tensors.layer.mixerPostNorm = "post_self_attn_layernorm"
    family.tensors.layer.feedForwardPostNorm = "post_mlp_layernorm"
    return family
  }()
}
