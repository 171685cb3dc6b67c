import Tensors

extension ModelFamily {
  /// Nemotron 3 and 4: LayerNorm with 1 added to its scales, and a feed-forward part of squared ReLU.
  package static let nemotron: ModelFamily = {
    var family = ModelFamily(name: "nemotron", architecture: "NemotronForCausalLM")
    family.keys = ["rms_norm_eps": "norm_eps"]
    family.defaults.context = 4096
    family.defaults.normEpsilon = 1e-5
    family.defaults.beginToken = 2
    family.defaults.endToken = 3
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .configured
    family.rotation.share = 0.5
    family.norm = NormDesign(.layer, scale: .onePlusStored, bias: true)
    family.feedForward = .plain
    family.activations = [.reluSquared, .relu, .gelu, .geluTanh, .silu]
    return family
  }()
}
