extension ModelFamily {
  /// Qwen 2 and 2.5: Llama with biases on q, k and v.
  package static let qwen2: ModelFamily = {
    var family = ModelFamily(name: "qwen2", architecture: "Qwen2ForCausalLM")
    family.defaults.context = 32_768
    family.defaults.keyValueHeadCount = 32
    family.inputBias = .always
    family.windows = .chosenLayers
    return family
  }()
}
