package import Tensors

/// What the models of a family have in common: how `config.json` and tensors are named, what an absent
/// setting means, which parts layers have, and which optional settings are read; all others are refused.
///
/// Data only: a family is one file that makes such a value, and a place in a ``FamilyRegistry``.
package struct ModelFamily: Sendable, Equatable {
  /// The `model_type` of its files.
  package var name: String
  /// The name of its class in `architectures`.
  package var architecture: String

  /// The section of `config.json` that speaks of the language model, of what has other parts as well; nil
  /// for the whole file.
  package var section: String?
  /// What `config.json` calls settings that have other names here: `[usual name: its name]`.
  package var keys: [String: String] = [:]
  /// Usual names that are of parts which its models don't have, beside settings of other names.
  package var unused: Set<String> = []
  package var defaults = Defaults()
  /// The optional numbers that it reads, each with what a file that doesn't say means; nil for none.
  package var factors: [ModelFactor: Double?] = [:]
  /// The optional parts that it reads of, each with whether a file that doesn't say means it.
  package var switches: [ModelSwitch: Bool] = [:]
  /// The biases of the query, key and value products.
  package var inputBias = Presence.never
  /// The bias of attention's output product.
  package var outputBias = Presence.never
  /// The biases of the feed-forward products.
  package var feedForwardBias = Presence.never
  package var headNorms = HeadNorms.none
  /// Whether the softmax of attention has a score more, for no value.
  package var sinks = false
  /// Which layers see only the last positions.
  package var windows = Windows.none
  /// Which layers rotate queries and keys, and how.
  package var rotation = Rotation()
  /// The factor of attention's scores; nil for 1 / √(width of a head).
  package var attentionScale: Float?
  /// Whether embeddings are multiplied by √(hidden size).
  package var scalesEmbedding = false
  /// What norms compute, but for those of heads.
  package var norm = NormDesign()
  /// What the norms of heads compute.
  package var headNorm = NormDesign()
  package var mixerNorms = NormPlacement.before
  package var feedForwardNorms = NormPlacement.before
  /// How attention and feed-forward part follow one another.
  package var flow = ResidualFlow.sequential
  /// What feed-forward parts are made of.
  package var feedForward = FeedForwardKind.gated
  /// The activations that files may name; the first is what a file that names none means.
  package var activations = [Activation.silu]
  /// How files describe experts; nil for a family without.
  package var experts: ExpertKeys?
  /// What files of this family mean by names that mean something else in others.
  package var activationNames: [String: Activation] = [:]
  package var tensors = TensorNames()

  /// Makes a family; what is left out is as in Llama without biases.
  package init(name: String, architecture: String) {
    self.name = name
    self.architecture = architecture
  }

  var title: String { name.prefix(1).uppercased() + name.dropFirst() }

  /// What its `config.json` calls a setting.
  func key(_ usual: String) -> String { keys[usual] ?? usual }

  /// The settings, by their usual names, that it reads beyond those of every family.
  var optionalKeys: Set<String> {
    var keys = Set(factors.keys.map(\.rawValue))
    keys.formUnion(experts?.names ?? [])
    if rotation.share != nil { keys.insert("partial_rotary_factor") }
    for part in switches.keys { keys.formUnion([part.rawValue, key(part.rawValue)]) }
    if case .listed = rotation.unrotated { keys.insert("no_rope_layers") }
    if rotation.unrotated == .allUnlessNamed { keys.insert("position_embedding_type") }
    return keys
  }

  /// The meaning of settings that a file leaves out.
  package struct Defaults: Sendable, Equatable {
    /// `max_position_embeddings`.
    package var context = 2048
    /// `vocab_size`; nil where a file must say it.
    package var vocabularySize: Int?
    /// `num_attention_heads`; nil where a file must say it.
    package var headCount: Int?
    /// `num_key_value_heads`; nil for the number of heads.
    package var keyValueHeadCount: Int?
    /// `head_dim`; nil for `hidden_size / num_attention_heads`.
    package var headDimension: Int?
    /// `intermediate_size`, in hidden sizes; nil where a file must say it.
    package var intermediateFactor: Int?
    /// `rms_norm_eps`.
    package var normEpsilon = 1e-6
    package var ropeTheta = 10_000.0
    /// `rope_scaling`, of files without it.
    package var ropeScaling = RopeScaling.none
    /// `sliding_window`, where layers have windows; nil for none.
    package var window: Int? = 4096
    /// `attention_bias`.
    package var attentionBias = false
    /// `mlp_bias`.
    package var feedForwardBias = false
    /// `tie_word_embeddings`.
    package var tiesEmbeddings = false
    /// `bos_token_id`, where no file says anything, not even null.
    package var beginToken: Int?
    /// `eos_token_id`, likewise.
    package var endToken: Int?
    /// `eos_token_id`, where no file names one; null says nothing.
    package var usualEnds: [Int] = []
  }

  package enum Presence: Sendable {
    case never
    case always
    /// `config.json` says: `attention_bias` or `mlp_bias`.
    case configured
    /// `config.json` says by a key of its own: `attention_out_bias`.
    case configuredApart

    /// Whether layers may have the part, or lack it.
    func allows(_ isThere: Bool) -> Bool {
      switch self {
      case .never: !isThere
      case .always: isThere
      case .configured, .configuredApart: true
      }
    }
  }

  package enum Windows: Sendable, Equatable {
    case none
    /// All of them, unless `sliding_window` is null.
    case everyLayer
    /// All of them, with `use_sliding_window`.
    case everyLayerIfUsed
    /// With `use_sliding_window`, those of `layer_types`, or every other one of the first
    /// `max_window_layers`.
    case alternateLayers
    /// With `use_sliding_window`, those of `layer_types`, or those from `max_window_layers` on.
    case chosenLayers
    /// With `use_sliding_window`, those of `layer_types`.
    case namedLayers
    /// Those of `layer_types`, or all but every n-th, unless `sliding_window` is null;
    /// `sliding_window_pattern` may say another n.
    case pattern(Int)

    /// Whether `use_sliding_window` must say that there are any.
    var haveSwitch: Bool {
      [.chosenLayers, .alternateLayers, .namedLayers, .everyLayerIfUsed].contains(self)
    }

    /// Whether some layers of a model may have windows and others none.
    var areMixed: Bool {
      switch self {
      case .none, .everyLayer, .everyLayerIfUsed: false
      case .chosenLayers, .alternateLayers, .namedLayers, .pattern: true
      }
    }
  }

  /// Which layers rotate queries and keys, and how.
  package struct Rotation: Sendable, Equatable {
    /// The share of a head that is rotated where a file doesn't say; nil if it is always all of it.
    package var share: Double?
    /// Which values of a head are rotated together.
    package var pairs = RotaryPairs.halves
    /// The layers that don't rotate.
    package var unrotated = Unrotated.none
    /// What windowed layers have of their own.
    package var windowed = Windowed.same

    package enum Unrotated: Sendable, Equatable {
      case none
      /// Every one.
      case all
      /// Every one, unless `position_embedding_type` is rope.
      case allUnlessNamed
      /// Those that see all positions.
      case seeingAll
      /// Those that see all positions, where others have windows.
      case withoutWindow
      /// Those with 0 in `no_rope_layers`, or every n-th; `no_rope_layer_interval` may say another n.
      case listed(Int)
    }

    package enum Windowed: Sendable, Equatable {
      /// Nothing.
      case same
      /// A section of their own; without one, no scaling and the base `rope_local_base_freq`, or this one,
      /// or nil for that of the other layers.
      case own(Double?)
    }
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
  /// The beginnings of names of tensors that are of other parts than the language model.
  package var others: [String] = []

  /// Whether a tensor of a file is of no use: it can be computed, or is of another part.
  func isComputed(_ name: String) -> Bool {
    computed.contains { name.hasSuffix($0) } || others.contains { name.hasPrefix($0) }
  }

  /// The names of Llama, which most families share.
  package init() {}

  /// What the names of a layer's tensors begin with.
  package func prefix(ofLayer index: Int) -> String { "\(layers)\(index)." }
}
