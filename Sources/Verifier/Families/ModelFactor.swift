import Files

/// A number of `config.json` that changes what a model computes and that only some families have.
///
/// A family says which ones it reads (``ModelFamily/factors``). Reading, writing, checking and the refusal
/// of all others follow from that. The raw value is the usual key.
package enum ModelFactor: String, CaseIterable, Sendable {
  /// Multiplies embeddings.
  case embedding = "embedding_multiplier"
  /// Multiplies what a sublayer adds to the residual stream.
  case residual = "residual_multiplier"
  /// Multiplies scores of attention, instead of 1 / √(width of a head).
  case attention = "attention_multiplier"
  /// Scores of attention are divided by its root, instead of that of the width of a head.
  case queryScalar = "query_pre_attn_scalar"
  /// Scores of attention are c · tanh(score / c).
  case attentionCap = "attn_logit_softcapping"
  /// The greatest magnitude of queries, keys and values.
  case clip = "clip_qkv"
  /// Logits are c · tanh(logit / c).
  case logitCap = "final_logit_softcapping"
  /// Multiplies logits.
  case logit = "logit_scale"
  /// Logits are divided by it.
  case logitDivisor = "logits_scaling"

  /// What it is for, in messages.
  var meaning: String {
    switch self {
    case .embedding: "scaled embeddings"
    case .residual: "scaled residuals"
    case .attention, .queryScalar: "scaled attention"
    case .attentionCap: "soft-capped attention"
    case .clip: "clipped projections"
    case .logitCap: "soft-capped logits"
    case .logit, .logitDivisor: "scaled logits"
    }
  }

  /// The values that are the same as none; `null` always is.
  var neutral: [JSONValue] {
    switch self {
    case .embedding, .residual, .logit, .logitDivisor: [.integer(1), .number(1)]
    case .attention, .queryScalar, .attentionCap, .clip, .logitCap: []
    }
  }

  /// The values that it may have.
  static let range = 1e-9...1e9

  /// What GGUF files call it, behind the architecture's name; nil where they have no key for it.
  var metadataKey: String? {
    switch self {
    case .embedding: "embedding_scale"
    case .residual: "residual_scale"
    case .attention: "attention.scale"
    case .queryScalar: nil
    case .attentionCap: "attn_logit_softcapping"
    case .clip: "attention.clamp_kqv"
    case .logitCap: "final_logit_softcapping"
    // One key for both: llama.cpp multiplies in some families and divides in others.
    case .logit, .logitDivisor: "logit_scale"
    }
  }
}
