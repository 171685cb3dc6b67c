import Tensors

extension ModelFamily {
  /// Command R: one LayerNorm without a bias for a layer's two parts, and scaled logits.
  package static let cohere: ModelFamily = {
    var family = ModelFamily(name: "cohere", architecture: "CohereForCausalLM")
    family.keys = ["rms_norm_eps": "layer_norm_eps"]
    family.defaults.context = 8192
    family.defaults.normEpsilon = 1e-5
    family.defaults.ropeTheta = 500_000
    family.defaults.tiesEmbeddings = true
    family.defaults.beginToken = 5
    family.defaults.endToken = 255_001
    family.factors = [.logit: 0.0625]
    family.switches = [.headNorms: false]
    family.inputBias = .configured
    family.outputBias = .configured
    family.headNorms = .eachOwn
    family.headNorm = NormDesign(.layer)
    family.rotation.pairs = .neighbours
    family.norm = NormDesign(.layer)
    family.flow = .parallelSharingNorm
    return family
  }()

  /// Command R7B and A: windows in three of four layers, and positions in these alone.
  package static let cohere2: ModelFamily = {
    var family = ModelFamily.cohere
    (family.name, family.architecture) = ("cohere2", "Cohere2ForCausalLM")
    family.defaults.ropeTheta = 10_000
    family.switches = [:]
    family.headNorms = .none
    family.windows = .pattern(4)
    family.rotation.unrotated = .seeingAll
    return family
  }()
}
