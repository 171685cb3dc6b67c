import Files
import Tensors

/// How a model's configuration becomes metadata: what `ModelConfiguration.init(_: GGUFFile)` reads.
///
/// Whatever isn't in the table is noticed: a file is read again before it is written, and a setting that
/// comes back different is an error that names it.
extension GGUFArchitecture {
  /// One metadata key under the architecture's name.
  struct Setting: Sendable {
    let key: String
    /// Its value; nil where the model needs none, or the architecture has none.
    let value: @Sendable (ModelConfiguration, GGUFArchitecture) -> GGUFValue?

    init(
      _ key: String,
      _ value: @escaping @Sendable (ModelConfiguration, GGUFArchitecture) -> GGUFValue?
    ) {
      self.key = key
      self.value = value
    }

    init(_ key: String, _ value: @escaping @Sendable (ModelConfiguration) -> GGUFValue?) {
      self.init(key) { configuration, _ in value(configuration) }
    }

    /// A number that is there unless it is nil.
    init(_ key: String, number value: @escaping @Sendable (ModelConfiguration) -> Int?) {
      self.init(key) { value($0).map { .uint32(UInt32(clamping: $0)) } as GGUFValue? }
    }
  }

  /// All keys; a family that needs another has a line here.
  static let keys =
    [
      Setting("vocab_size", number: { $0.vocabularySize }),
      Setting("context_length", number: { $0.maximumContext }),
      Setting("embedding_length", number: { $0.hiddenSize }),
      Setting("block_count", number: { $0.layerCount }),
      Setting("feed_forward_length", number: { $0.intermediateSize }),
      Setting("attention.head_count", number: { $0.headCount }),
      Setting("attention.head_count_kv", number: { $0.keyValueHeadCount }),
      Setting("attention.key_length", number: { $0.headDimension }),
      Setting("attention.value_length", number: { $0.headDimension }),
      Setting("attention.layer_norm_rms_epsilon") { configuration in
        configuration.family.norm.kind == .layer ? nil : .float32(configuration.normEpsilon)
      },
      Setting("attention.layer_norm_epsilon") { configuration in
        configuration.family.norm.kind == .layer ? .float32(configuration.normEpsilon) : nil
      },
    ] + rotation + windows + experts

  /// How positions are rotated.
  private static let rotation = [
    Setting("rope.dimension_count", number: { $0.rotates ? $0.rotatedDimension : nil }),
    Setting("rope.freq_base") { $0.rotates ? .float32(Float($0.ropeTheta)) : nil },
    Setting("rope.freq_base_swa") { $0.windowedRope.map { .float32(Float($0.theta)) } },
    Setting("rope.scaling.type") { $0.ropeScaling.metadataName.map { .string($0) } },
    Setting("rope.scaling.factor") { $0.ropeScaling.metadataFactor.map { .float32(Float($0)) } },
    Setting("rope.scaling.original_context_length", number: { $0.ropeScaling.originalContext }),
    Setting("rope.scaling.attn_factor") {
      $0.ropeScaling.metadataMagnitude.map { .float32(Float($0)) }
    },
    Setting("rope.scaling.yarn_beta_fast") {
      $0.ropeScaling.yarn.map { .float32(Float($0.betaFast)) }
    },
    Setting("rope.scaling.yarn_beta_slow") {
      $0.ropeScaling.yarn.map { .float32(Float($0.betaSlow)) }
    },
  ]

  /// Which layers see only the last positions.
  private static let windows = [
    Setting("attention.sliding_window") { configuration, architecture in
      switch architecture.family.windows {
      case .none: return nil
      case .everyLayer: return .uint32(UInt32(clamping: configuration.slidingWindow ?? 0))
      case .pattern: return configuration.slidingWindow.map { .uint32(UInt32(clamping: $0)) }
      case .everyLayerIfUsed, .alternateLayers, .chosenLayers, .namedLayers:
        // Files can't say which layers.
        return configuration.windowedLayers.isEmpty
          ? configuration.slidingWindow.map { .uint32(UInt32(clamping: $0)) } : nil
      }
    },
    Setting("attention.sliding_window_pattern") { configuration, architecture in
      guard case .pattern(let every) = architecture.family.windows,
        configuration.slidingWindow != nil
      else { return nil }
      let layers = (0..<configuration.layerCount).map(configuration.usesWindow)
      let isUsual = layers.indices.allSatisfy { layers[$0] == (($0 + 1) % every != 0) }
      return isUsual ? nil : .array(GGUFArray(layers.map { .bool($0) }, of: .bool))
    },
  ]

  private static let experts = [
    Setting("expert_count", number: { $0.experts?.options.count }),
    Setting("expert_used_count", number: { $0.experts?.options.chosen }),
    Setting("expert_feed_forward_length", number: { $0.experts?.options.intermediate }),
    Setting(
      "expert_shared_feed_forward_length", number: { $0.experts?.options.shared?.intermediate }),
    Setting("expert_weights_norm") { configuration, architecture in
      guard let experts = configuration.experts,
        architecture.family.experts?.weighting == .configured
      else { return nil }
      return .bool(experts.options.weighting == .ofAllNormalized)
    },
  ]

  /// The metadata of a model.
  func metadata(of configuration: ModelConfiguration) -> [(key: String, value: GGUFValue)] {
    var metadata = Self.keys.compactMap { setting in
      setting.value(configuration, self).map { ("\(name).\(setting.key)", $0) }
    }
    for (factor, value) in configuration.factors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      guard family.factors[factor] != nil, let key = factor.metadataKey else { continue }
      metadata.append(("\(name).\(key)", .float32(Float(value))))
    }
    if family.switches[.parallelLayers] != nil {
      metadata.append(
        ("\(name).use_parallel_residual", .bool(configuration.flow != .sequential)))
    }
    return metadata
  }

  /// Tensors that say what no metadata key does.
  func extras(of configuration: ModelConfiguration) -> [GGUFPlan.Extra] {
    if case .longrope(let long) = configuration.ropeScaling {
      if long.isUniform, long.originalContext == configuration.maximumContext {
        return [GGUFPlan.Extra(Self.ropeDivisors, long.shortFactors.map { Float($0) })]
      }
      return [
        GGUFPlan.Extra(Self.shortFactors, long.shortFactors.map { Float($0) }),
        GGUFPlan.Extra(Self.longFactors, long.longFactors.map { Float($0) }),
      ]
    }
    guard case .llama3 = configuration.ropeScaling else { return [] }
    let rope = configuration.design(ofLayer: 0).attention.rope
    var plain = rope
    plain.scaling = .none
    return [
      GGUFPlan.Extra(
        Self.ropeDivisors, zip(plain.frequencies, rope.frequencies).map { Float($0 / $1) })
    ]
  }

  /// The architectures that may say what a model computes, the family's own first.
  static func candidates(for configuration: ModelConfiguration) -> [GGUFArchitecture] {
    let family = configuration.family.name
    func isOwn(_ architecture: GGUFArchitecture) -> Bool {
      architecture.family.name == family || architecture.name == family
    }
    let common: [ModelFamily] = [.llama, .qwen2, .qwen3, .granite]
    let alike = all.filter { ($0.family.experts == nil) == (configuration.experts == nil) }
    return alike.filter(isOwn) + alike.filter { !isOwn($0) && common.contains($0.family) }
  }
}

extension ModelConfiguration {
  /// Whether any layer rotates queries and keys.
  fileprivate var rotates: Bool { unrotatedLayers.isEmpty || unrotatedLayers.contains(false) }
}

extension RopeScaling {
  /// What `rope.scaling.type` calls it; nil where tensors say what is divided.
  fileprivate var metadataName: String? {
    switch self {
    case .linear: "linear"
    case .yarn: "yarn"
    case .none, .dynamic, .llama3, .longrope: nil
    }
  }

  fileprivate var metadataFactor: Double? {
    switch self {
    case .linear(let factor): factor
    case .yarn(let yarn): yarn.factor
    case .none, .dynamic, .llama3, .longrope: nil
    }
  }

  fileprivate var originalContext: Int? {
    switch self {
    case .yarn(let yarn): yarn.originalContext
    case .longrope(let long): long.originalContext
    case .none, .linear, .dynamic, .llama3: nil
    }
  }

  /// What readers multiply what they would take by; nil for 1.
  fileprivate var metadataMagnitude: Double? {
    switch self {
    case .yarn(let yarn):
      let usual = YarnScaling(factor: yarn.factor, originalContext: yarn.originalContext).magnitude
      return abs(yarn.magnitude / usual - 1) < 1e-9 ? nil : yarn.magnitude / usual
    case .longrope(let long): return long.magnitude
    case .none, .linear, .dynamic, .llama3: return nil
    }
  }

  fileprivate var yarn: YarnScaling? {
    if case .yarn(let yarn) = self { yarn } else { nil }
  }
}
