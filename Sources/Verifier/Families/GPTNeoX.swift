import Tensors

extension ModelFamily {
  /// GPT-NeoX and Pythia: LayerNorm, layers whose parts take the same rows, heads that are rotated in part.
  package static let gptNeoX: ModelFamily = {
    var family = ModelFamily(name: "gpt_neox", architecture: "GPTNeoXForCausalLM")
    family.keys = [
      "rms_norm_eps": "layer_norm_eps", "rope_theta": "rotary_emb_base",
      "partial_rotary_factor": "rotary_pct",
    ]
    family.defaults.normEpsilon = 1e-5
    family.defaults.attentionBias = true
    family.defaults.beginToken = 0
    family.defaults.endToken = 2
    family.switches = [.parallelLayers: true]
    family.inputBias = .configured
    family.outputBias = .configured
    family.feedForwardBias = .always
    family.rotation.share = 0.25
    family.norm = NormDesign(.layer, bias: true)
    family.flow = .parallel
    family.feedForward = .plain
    family.activations = [.gelu, .geluTanh, .relu, .silu]
    family.tensors.embedding = "gpt_neox.embed_in.weight"
    family.tensors.head = "embed_out.weight"
    family.tensors.finalNorm = "gpt_neox.final_layer_norm.weight"
    family.tensors.layers = "gpt_neox.layers."
    family.tensors.computed += [".attention.bias", ".attention.masked_bias"]
    family.tensors.layer.queryKeyValue = FusedProjection("attention.query_key_value", .heads)
    family.tensors.layer.output = "attention.dense"
    family.tensors.layer.up = "mlp.dense_h_to_4h"
    family.tensors.layer.down = "mlp.dense_4h_to_h"
    return family
  }()
}
