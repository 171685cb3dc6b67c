import Tensors

extension ModelFamily {
  /// Helium: Llama with rotated neighbours.
  package static let helium: ModelFamily = {
    var family = ModelFamily(name: "helium", architecture: "HeliumForCausalLM")
    family.defaults.context = 4096
    family.defaults.keyValueHeadCount = 20
    family.defaults.headDimension = 128
    family.defaults.normEpsilon = 1e-8
    family.defaults.ropeTheta = 100_000
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.inputBias = .configured
    family.feedForwardBias = .configured
    family.rotation.pairs = .neighbours
    return family
  }()
}
