import Tensors

extension ModelFamily {
  /// EXAONE 4: norms after attention and feed-forward part, normed query and key heads, and no rotation
  /// in layers without a window where others have one.
  package static let exaone4: ModelFamily = {
    var family = ModelFamily(name: "exaone4", architecture: "Exaone4ForCausalLM")
    family.defaults.keyValueHeadCount = 32
    family.defaults.normEpsilon = 1e-5
    family.defaults.beginToken = 0
    family.defaults.endToken = 2
    family.headNorms = .each
    family.windows = .pattern(4)
    family.rotation.unrotated = .withoutWindow
    family.mixerNorms = .after
    family.feedForwardNorms = .after
    family.tensors.layer.mixerPostNorm = "post_attention_layernorm"
    return family
  }()
}
