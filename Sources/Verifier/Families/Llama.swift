extension ModelFamily {
  /// Llama 1 to 3.
  package static let llama: ModelFamily = {
    var family = ModelFamily(name: "llama", architecture: "LlamaForCausalLM")
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .configured
    return family
  }()
}
