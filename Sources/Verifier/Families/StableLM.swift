import Tensors

extension ModelFamily {
  /// StableLM: Llama with LayerNorm and heads that are rotated in part.
  package static let stableLM: ModelFamily = {
    var family = ModelFamily(name: "stablelm", architecture: "StableLmForCausalLM")
    family.keys = ["rms_norm_eps": "layer_norm_eps", "attention_bias": "use_qkv_bias"]
    family.defaults.context = 4096
    family.defaults.keyValueHeadCount = 32
    family.defaults.normEpsilon = 1e-5
    family.defaults.beginToken = 0
    family.defaults.endToken = 0
    family.switches = [.parallelLayers: false]
    family.inputBias = .configured
    family.rotation.share = 0.25
    family.norm = NormDesign(.layer, bias: true)
    family.flow = .parallelSharingNorm
    return family
  }()
}
