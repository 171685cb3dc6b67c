import Tensors

extension ModelFamily {
  /// Granite 3: Llama with factors of embeddings, residuals, attention and logits.
  package static let granite: ModelFamily = {
    var family = ModelFamily(name: "granite", architecture: "GraniteForCausalLM")
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.factors = [.embedding: 1, .residual: 1, .attention: 1, .logitDivisor: 1]
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .configured
    return family
  }()

  /// Granite 4 without recurrent layers and experts.
  package static let granite4: ModelFamily = {
    var family = ModelFamily.granite
    (family.name, family.architecture) = ("granitemoehybrid", "GraniteMoeHybridForCausalLM")
    family.keys = ["intermediate_size": "shared_intermediate_size"]
    // Of experts.
    family.unused = ["intermediate_size"]
    family.feedForwardBias = .never
    family.windows = .namedLayers
    family.rotation.unrotated = .allUnlessNamed
    family.tensors.layer.gateUp = "shared_mlp.input_linear"
    family.tensors.layer.down = "shared_mlp.output_linear"
    return family
  }()
}
