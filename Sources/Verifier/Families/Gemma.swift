import Tensors

extension ModelFamily {
  /// Gemma 1: embeddings times the root of their width, norms of one plus their weights.
  package static let gemma: ModelFamily = {
    var family = ModelFamily(name: "gemma", architecture: "GemmaForCausalLM")
    family.defaults.context = 8192
    family.defaults.keyValueHeadCount = 16
    family.defaults.headDimension = 256
    family.defaults.tiesEmbeddings = true
    family.defaults.beginToken = 2
    family.defaults.endToken = 1
    family.inputBias = .configured
    family.outputBias = .configured
    family.scalesEmbedding = true
    family.norm = NormDesign(scale: .onePlusStored)
    family.activations = [.geluTanh]
    // The first files say gelu and mean the approximation.
    family.activationNames = ["gelu": .geluTanh]
    return family
  }()

  /// Gemma 2: windows in every other layer, norms before and after, capped scores and logits.
  package static let gemma2: ModelFamily = {
    var family = ModelFamily.gemma
    (family.name, family.architecture) = ("gemma2", "Gemma2ForCausalLM")
    family.keys = ["hidden_act": "hidden_activation"]
    family.defaults.keyValueHeadCount = 4
    family.factors = [.queryScalar: 256, .attentionCap: 50, .logitCap: 30]
    family.windows = .pattern(2)
    family.mixerNorms = .both
    family.feedForwardNorms = .both
    family.activationNames = [:]
    family.tensors.layer.mixerPostNorm = "post_attention_layernorm"
    family.tensors.layer.feedForwardNorm = "pre_feedforward_layernorm"
    return family
  }()

  /// Gemma 3, text: windows in five of six layers, with another base, and normed query and key heads.
  package static let gemma3: ModelFamily = {
    var family = ModelFamily.gemma2
    (family.name, family.architecture) = ("gemma3_text", "Gemma3ForCausalLM")
    family.defaults.vocabularySize = 262_208
    family.defaults.headCount = 8
    family.defaults.context = 131_072
    family.defaults.ropeTheta = 1_000_000
    family.factors = [.queryScalar: 256, .attentionCap: nil, .logitCap: nil]
    family.windows = .pattern(6)
    family.rotation.windowed = .own(10_000)
    family.headNorms = .each
    family.headNorm = family.norm
    return family
  }()

  /// The text part of Gemma 3's models that see images.
  package static let gemma3Text: ModelFamily = {
    var family = ModelFamily.gemma3
    (family.name, family.architecture) = ("gemma3", "Gemma3ForConditionalGeneration")
    family.section = "text_config"
    family.tensors.embedding = "language_model.model.embed_tokens.weight"
    family.tensors.head = "language_model.lm_head.weight"
    family.tensors.finalNorm = "language_model.model.norm.weight"
    family.tensors.layers = "language_model.model.layers."
    family.tensors.others = ["vision_tower.", "multi_modal_projector."]
    return family
  }()
}
