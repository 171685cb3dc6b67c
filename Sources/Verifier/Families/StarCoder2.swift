import Tensors

extension ModelFamily {
  /// StarCoder 2: LayerNorm, and a feed-forward part without a gate.
  package static let starCoder2: ModelFamily = {
    var family = ModelFamily(name: "starcoder2", architecture: "Starcoder2ForCausalLM")
    family.keys = [
      "rms_norm_eps": "norm_epsilon", "attention_bias": "use_bias", "mlp_bias": "use_bias",
    ]
    family.defaults.context = 4096
    family.defaults.keyValueHeadCount = 2
    family.defaults.normEpsilon = 1e-5
    family.defaults.window = nil
    family.defaults.attentionBias = true
    family.defaults.feedForwardBias = true
    family.defaults.tiesEmbeddings = true
    family.defaults.beginToken = 50_256
    family.defaults.endToken = 50_256
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .configured
    family.windows = .everyLayer
    family.norm = NormDesign(.layer, bias: true)
    family.feedForward = .plain
    family.activations = [.geluTanh, .gelu, .relu, .silu]
    family.tensors.layer.up = "mlp.c_fc"
    family.tensors.layer.down = "mlp.c_proj"
    return family
  }()
}
