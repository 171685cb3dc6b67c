extension ModelFamily {
  /// SmolLM 3: Llama with every fourth layer without rotation.
  package static let smolLM3: ModelFamily = {
    var family = ModelFamily(name: "smollm3", architecture: "SmolLM3ForCausalLM")
    family.defaults.context = 32_768
    family.defaults.keyValueHeadCount = 4
    family.defaults.ropeTheta = 2_000_000
    family.defaults.tiesEmbeddings = true
    family.defaults.beginToken = 128_000
    family.defaults.endToken = 128_001
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .configured
    family.windows = .namedLayers
    family.rotation.unrotated = .listed(4)
    return family
  }()
}
