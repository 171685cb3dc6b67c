import Tensors

extension ModelFamily {
  /// GPT-2: LayerNorm, learned positions, and a feed-forward part without a gate.
  package static let gpt2: ModelFamily = {
    var family = ModelFamily(name: "gpt2", architecture: "GPT2LMHeadModel")
    family.keys = [
      "hidden_size": "n_embd", "intermediate_size": "n_inner", "num_hidden_layers": "n_layer",
      "num_attention_heads": "n_head", "max_position_embeddings": "n_positions",
      "rms_norm_eps": "layer_norm_epsilon", "hidden_act": "activation_function",
    ]
    family.defaults.context = 1024
    family.defaults.intermediateFactor = 4
    family.defaults.normEpsilon = 1e-5
    family.defaults.tiesEmbeddings = true
    family.defaults.beginToken = 50_256
    family.defaults.endToken = 50_256
    family.inputBias = .always
    family.outputBias = .always
    family.feedForwardBias = .always
    family.rotation.unrotated = .all
    family.norm = NormDesign(.layer, bias: true)
    family.feedForward = .plain
    family.activations = [.geluTanh, .gelu, .relu, .silu]
    family.tensors.embedding = "transformer.wte.weight"
    family.tensors.positions = "transformer.wpe.weight"
    family.tensors.finalNorm = "transformer.ln_f.weight"
    family.tensors.layers = "transformer.h."
    family.tensors.optionalPrefix = "transformer."
    family.tensors.computed = [".attn.bias", ".attn.masked_bias"]
    family.tensors.layer.mixerNorm = "ln_1"
    family.tensors.layer.queryKeyValue = FusedProjection("attn.c_attn", .parts)
    family.tensors.layer.output = "attn.c_proj"
    family.tensors.layer.feedForwardNorm = "ln_2"
    family.tensors.layer.up = "mlp.c_fc"
    family.tensors.layer.down = "mlp.c_proj"
    family.tensors.layer.isTransposed = true
    return family
  }()
}
