import Tensors

extension ModelFamily {
  /// Granite 3 with experts.
  package static let graniteMoE: ModelFamily = {
    var family = ModelFamily(name: "granitemoe", architecture: "GraniteMoeForCausalLM")
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.factors = [.embedding: 1, .residual: 1, .attention: 1, .logitDivisor: 1]
    family.inputBias = .configured
    family.outputBias = .configured
    var experts = ExpertKeys()
    experts.weighting = .always(.ofChosen)
    family.experts = experts
    family.tensors.layer.router = "block_sparse_moe.router.layer"
    family.tensors.layer.experts = "block_sparse_moe.experts"
    family.tensors.layer.fusedExperts = FusedExperts(
      gateUp: "block_sparse_moe.input_linear.weight",
      down: "block_sparse_moe.output_linear.weight")
    return family
  }()
}
