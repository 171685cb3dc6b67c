import Tensors

extension ModelFamily {
  /// Phi 1 to 2: one LayerNorm for a layer's two parts, heads that are rotated in part, biases everywhere.
  package static let phi: ModelFamily = {
    var family = ModelFamily(name: "phi", architecture: "PhiForCausalLM")
    family.keys = ["rms_norm_eps": "layer_norm_eps", "use_qk_norm": "qk_layernorm"]
    family.defaults.normEpsilon = 1e-5
    family.defaults.beginToken = 1
    family.defaults.endToken = 2
    family.switches = [.headNorms: false]
    family.inputBias = .always
    family.outputBias = .always
    family.feedForwardBias = .always
    family.headNorms = .each
    family.headNorm = NormDesign(.layer, bias: true)
    family.rotation.share = 0.5
    family.norm = NormDesign(.layer, bias: true)
    family.flow = .parallelSharingNorm
    family.feedForward = .plain
    family.activations = [.geluTanh, .gelu, .relu, .silu]
    family.tensors.headBias = "lm_head.bias"
    family.tensors.finalNorm = "model.final_layernorm.weight"
    family.tensors.layer.queryNorm = "self_attn.q_layernorm"
    family.tensors.layer.keyNorm = "self_attn.k_layernorm"
    family.tensors.layer.output = "self_attn.dense"
    family.tensors.layer.up = "mlp.fc1"
    family.tensors.layer.down = "mlp.fc2"
    return family
  }()

  /// Phi 3 and 4: Llama with fused projections.
  package static let phi3: ModelFamily = {
    var family = ModelFamily(name: "phi3", architecture: "Phi3ForCausalLM")
    family.defaults.context = 4096
    family.defaults.normEpsilon = 1e-5
    family.defaults.window = nil
    family.defaults.beginToken = 1
    family.defaults.endToken = 32_000
    family.windows = .everyLayer
    family.rotation.share = 1
    family.tensors.layer.queryKeyValue = FusedProjection("self_attn.qkv_proj", .parts)
    family.tensors.layer.gateUp = "mlp.gate_up_proj"
    return family
  }()
}
