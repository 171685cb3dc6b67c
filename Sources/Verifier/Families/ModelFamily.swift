package import Tensors

/// What the models of a family have in common: how `config.json` and tensors are named, what an absent
/// setting means, which parts layers have, and what is refused.
///
/// Data only: a family is one file that makes such a value, and a place in a ``FamilyRegistry``.
package struct ModelFamily: Sendable, Equatable {
  /// The `model_type` of its files.
  package let name: String
  /// The name of its class in `architectures`.
  package let architecture: String

  package var defaults = Defaults()
  /// The biases of the query, key and value products.
  package var inputBias = Presence.never
  /// The bias of attention's output product.
  package var outputBias = Presence.never
  /// The biases of the feed-forward products.
  package var feedForwardBias = Presence.never
  package var headNorms = false
  /// Which layers see only the last positions.
  package var windows = Windows.none
  /// The share of a head that is rotated where a file doesn't say; nil if it is always all of it.
  package var rotatedShare: Double?
  /// The factor of attention's scores; nil for 1 / √(width of a head).
  package var attentionScale: Float?
  /// What norms compute, but for those of heads.
  package var norm = NormDesign()
  package var mixerNorms = NormPlacement.before
  package var feedForwardNorms = NormPlacement.before
  /// How attention and feed-forward part follow one another.
  package var flow = ResidualFlow.sequential
  package var activation = Activation.silu
  package var tensors = TensorNames()

  /// Makes a family; what is left out is as in Llama without biases.
  package init(name: String, architecture: String) {
    self.name = name
    self.architecture = architecture
  }

  var title: String { name.prefix(1).uppercased() + name.dropFirst() }

  /// The meaning of settings that a file leaves out.
  package struct Defaults: Sendable, Equatable {
    /// `max_position_embeddings`.
    package var context = 2048
    /// `num_key_value_heads`; nil for the number of heads.
    package var keyValueHeadCount: Int?
    /// `head_dim`; nil for `hidden_size / num_attention_heads`.
    package var headDimension: Int?
    /// `bos_token_id`, where no file says anything, not even null.
    package var beginToken: Int?
    /// `eos_token_id`, likewise.
    package var endToken: Int?
  }

  package enum Presence: Sendable {
    case never
    case always
    /// `config.json` says: `attention_bias` or `mlp_bias`.
    case configured

    /// Whether layers may have the part, or lack it.
    func allows(_ isThere: Bool) -> Bool { self == .configured || isThere == (self == .always) }
  }

  package enum Windows: Sendable {
    case none
    /// All of them, unless `sliding_window` is null.
    case everyLayer
    /// With `use_sliding_window`, those of `layer_types`, or those from `max_window_layers` on.
    case chosenLayers
  }
}

/// What checkpoints call a model's tensors.
package struct TensorNames: Sendable, Equatable {
  package var embedding = "model.embed_tokens.weight"
  package var head = "lm_head.weight"
  package var finalNorm = "model.norm.weight"
  /// What stands before a layer's number; a dot follows it.
  package var layers = "model.layers."
  package var layer = LayerNames()
  /// Learned positions; nil for none.
  package var positions: String?
  /// The head's bias; nil for none.
  package var headBias: String?
  /// What all names but the head's begin with, and not in every file.
  package var optionalPrefix: String?
  /// The ends of names that files carry though they can be computed.
  package var computed = [".rotary_emb.inv_freq"]

  /// Whether a tensor of a file holds nothing that can't be computed.
  func isComputed(_ name: String) -> Bool { computed.contains { name.hasSuffix($0) } }

  /// The names of Llama, which most families share.
  package init() {}

  /// What the names of a layer's tensors begin with.
  package func prefix(ofLayer index: Int) -> String { "\(layers)\(index)." }
}
