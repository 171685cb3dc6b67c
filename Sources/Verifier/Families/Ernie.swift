import Tensors

extension ModelFamily {
  /// ERNIE 4.5, dense: Llama with rotated neighbours, and biases everywhere or nowhere.
  package static let ernie: ModelFamily = {
    var family = ModelFamily(name: "ernie4_5", architecture: "Ernie4_5ForCausalLM")
    family.keys = ["attention_bias": "use_bias", "mlp_bias": "use_bias"]
    family.defaults.context = 131_072
    family.defaults.keyValueHeadCount = 2
    family.defaults.headDimension = 128
    family.defaults.normEpsilon = 1e-5
    family.defaults.ropeTheta = 500_000
    family.defaults.tiesEmbeddings = true
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .configured
    family.rotation.pairs = .neighbours
    return family
  }()
}
