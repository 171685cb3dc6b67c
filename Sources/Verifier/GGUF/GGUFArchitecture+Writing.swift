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
    /// Its value; nil where the model needs none.
    let value: @Sendable (ModelConfiguration) -> GGUFValue?

    init(_ key: String, _ value: @escaping @Sendable (ModelConfiguration) -> GGUFValue?) {
      self.key = key
      self.value = value
    }

    /// A number that is there unless it is nil.
    init(_ key: String, _ value: @escaping @Sendable (ModelConfiguration) -> Int?) {
      self.init(key) { value($0).map { .uint32(UInt32(clamping: $0)) } as GGUFValue? }
    }
  }

  /// All keys; a family that needs another has a line here.
  static let keys = [
    Setting("vocab_size") { $0.vocabularySize },
    Setting("context_length") { $0.maximumContext },
    Setting("embedding_length") { $0.hiddenSize },
    Setting("block_count") { $0.layerCount },
    Setting("feed_forward_length") { $0.intermediateSize },
    Setting("attention.head_count") { $0.headCount },
    Setting("attention.head_count_kv") { $0.keyValueHeadCount },
    Setting("attention.key_length") { $0.headDimension },
    Setting("attention.value_length") { $0.headDimension },
    Setting("attention.layer_norm_rms_epsilon") { configuration in
      configuration.family.norm.kind == .layer ? nil : .float32(configuration.normEpsilon)
    },
    Setting("attention.layer_norm_epsilon") { configuration in
      configuration.family.norm.kind == .layer ? .float32(configuration.normEpsilon) : nil
    },
    Setting("rope.dimension_count") { $0.rotatedDimension },
    Setting("rope.freq_base") { .float32(Float($0.ropeTheta)) },
    Setting("rope.scaling.type") { $0.linearFactor.map { _ in .string("linear") } },
    Setting("rope.scaling.factor") { $0.linearFactor.map { .float32(Float($0)) } },
  ]

  /// The metadata of a model.
  func metadata(of configuration: ModelConfiguration) -> [(key: String, value: GGUFValue)] {
    var metadata = Self.keys.compactMap { setting in
      setting.value(configuration).map { ("\(name).\(setting.key)", $0) }
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
    let own = all.filter { $0.family.name == configuration.family.name }
    let common: [ModelFamily] = [.llama, .qwen2, .qwen3]
    return own
      + all.filter { $0.family.name != configuration.family.name && common.contains($0.family) }
  }
}

extension ModelConfiguration {
  fileprivate var linearFactor: Double? {
    if case .linear(let factor) = ropeScaling { factor } else { nil }
  }

  /// A setting that a file made of this configuration says otherwise, by its name in `config.json`; nil if
  /// the file's model computes the same.
  ///
  /// - Parameter other: What the file says.
  func difference(from other: ModelConfiguration) throws -> String? {
    var other = other
    // Files have these in f32.
    if abs(other.ropeTheta / ropeTheta - 1) < 1e-6 { other.ropeTheta = ropeTheta }
    if other.ropeScaling.isClose(to: ropeScaling) { other.ropeScaling = ropeScaling }
    for (factor, value) in factors {
      if let read = other.factors[factor], abs(read - value) <= 1e-6 * abs(value) {
        other.factors[factor] = value
      }
    }
    if other.rotatedDimension == rotatedDimension { other.rotatedShare = rotatedShare }
    guard embeddingScale == other.embeddingScale else { return "embedding scale" }
    guard logitScale == other.logitScale, logitCap == other.logitCap else { return "logit scale" }
    guard positions?.shape == other.positions?.shape else { return "positions" }
    guard headBias?.shape == other.headBias?.shape else { return "bias of the head" }
    // A head beside a tied embedding is the same head.
    other.tiesEmbeddings = tiesEmbeddings
    let (mine, theirs) = (try Self.members(of: self), try Self.members(of: other))
    for key in Set(mine.keys).union(theirs.keys).sorted() where mine[key] != theirs[key] {
      return key
    }
    for layer in 0..<layerCount where design(ofLayer: layer) != other.design(ofLayer: layer) {
      return "layer \(layer)"
    }
    return endTokens.allSatisfy(other.endTokens.contains) ? nil : "eos_token_id"
  }

  /// The members of `config.json` that say what is computed, without those that say nothing is special.
  private static func members(of configuration: ModelConfiguration) throws -> [String: JSONValue] {
    let names: Set = [
      "architectures", "model_type", "torch_dtype", quantizationKey, "eos_token_id",
    ]
    let encoded = try JSONValue(
      parsing: String(decoding: configuration.encoded(), as: UTF8.self))
    return (encoded.members ?? [:]).filter { key, value in
      !names.contains(key) && value != .null && value != .bool(false)
        && !(key == "layer_types" || key == "max_window_layers")
    }
  }
}

extension RopeScaling {
  /// Whether both stretch frequencies alike, as far as f32 tells.
  fileprivate func isClose(to other: RopeScaling) -> Bool {
    switch (self, other) {
    case (.linear(let one), .linear(let two)): abs(one / two - 1) < 1e-6
    case (
      .llama3(let one, let low, let high, let context),
      .llama3(let two, let otherLow, let otherHigh, let otherContext)
    ):
      abs(one / two - 1) < 1e-6 && low == otherLow && high == otherHigh && context == otherContext
    default: self == other
    }
  }
}
