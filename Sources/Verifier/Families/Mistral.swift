extension ModelFamily {
  /// Mistral: Llama with a sliding window.
  package static let mistral: ModelFamily = {
    var family = ModelFamily(name: "mistral", architecture: "MistralForCausalLM")
    family.defaults.context = 131_072
    family.defaults.keyValueHeadCount = 8
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.windows = .everyLayer
    return family
  }()
}
