import Tensors

extension ModelFamily {
  /// Qwen 3, dense: Llama with normed q and k heads.
  package static let qwen3: ModelFamily = {
    var family = ModelFamily(name: "qwen3", architecture: "Qwen3ForCausalLM")
    family.defaults.context = 32_768
    family.defaults.keyValueHeadCount = 32
    family.defaults.headDimension = 128
    family.inputBias = .configured
    family.outputBias = .configured
    family.headNorms = .each
    family.windows = .chosenLayers
    return family
  }()
}
