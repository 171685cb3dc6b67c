import Tensors

extension ModelFamily {
  /// gpt-oss: experts with biases and clamped gates, published in MXFP4.
  package static let gptOSS: ModelFamily = {
    var family = ModelFamily(name: "gpt_oss", architecture: "GptOssForCausalLM")
    family.defaults.context = 131_072
    family.defaults.keyValueHeadCount = 8
    family.defaults.headDimension = 64
    family.defaults.normEpsilon = 1e-5
    family.defaults.ropeTheta = 150_000
    var yarn = YarnScaling(factor: 32, originalContext: 4096)
    yarn.truncates = false
    family.defaults.ropeScaling = .yarn(yarn)
    family.defaults.window = 128
    family.defaults.attentionBias = true
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .always
    family.sinks = true
    family.windows = .pattern(2)
    var experts = ExpertKeys()
    experts.weighting = .always(.ofChosen)
    experts.routerBias = true
    experts.clamp = GateClamp(alpha: 1.702, limit: 7)
    experts.mayBeMXFP4 = true
    family.experts = experts
    family.tensors.layer.router = "mlp.router"
    var fused = FusedExperts(gateUp: "mlp.experts.gate_up_proj", down: "mlp.experts.down_proj")
    fused.isInterleaved = true
    fused.isTransposed = true
    family.tensors.layer.fusedExperts = fused
    return family
  }()
}
