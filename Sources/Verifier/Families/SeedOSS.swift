extension ModelFamily {
  /// Seed-OSS: Llama with biases on q, k and v, and one of its own for attention's output.
  package static let seedOSS: ModelFamily = {
    var family = ModelFamily(name: "seed_oss", architecture: "SeedOssForCausalLM")
    family.defaults.context = 524_288
    family.defaults.keyValueHeadCount = 8
    family.defaults.headDimension = 128
    family.defaults.attentionBias = true
    family.defaults.beginToken = 0
    family.defaults.endToken = 2
    family.inputBias = .configured
    family.outputBias = .configuredApart
    family.feedForwardBias = .configured
    return family
  }()
}
