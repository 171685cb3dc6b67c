import Files
package import Tensors

/// The mixture of experts of a model, and the layers that have one.
package struct ExpertSettings: Sendable, Equatable {
  package var options: ExpertOptions
  /// What takes the place of the activation in experts; nil for nothing.
  package var clamp: GateClamp?
  /// Which layers have one feed-forward part instead; empty means none of them.
  package var plainLayers: [Bool]

  package init(_ options: ExpertOptions, clamp: GateClamp? = nil, plainLayers: [Bool] = []) {
    self.options = options
    self.clamp = clamp
    self.plainLayers = plainLayers
  }

  /// Whether a layer has experts.
  package func areIn(layer: Int) -> Bool { plainLayers.isEmpty || !plainLayers[layer] }
}

/// How the files of a family describe experts.
package struct ExpertKeys: Sendable, Equatable {
  /// What the chosen experts' outputs are multiplied by.
  package enum Weighting: Sendable, Equatable {
    case always(ExpertWeighting)
    /// Softmax over all, normalized if `norm_topk_prob` says so.
    case configured
  }

  package var weighting = Weighting.configured
  /// Whether `moe_intermediate_size` is the width of an expert; else `intermediate_size` is.
  package var haveOwnWidth = false
  /// Whether `shared_expert_intermediate_size` is the width of an expert that every row goes through, gated.
  package var haveSharedOne = false
  /// Whether `mlp_only_layers` and `decoder_sparse_step` say which layers have experts; else all have.
  package var areSparse = false
  package var routerBias = false
  /// The clamp where `swiglu_alpha` and `swiglu_limit` aren't given; nil where experts have none.
  package var clamp: GateClamp?
  /// Whether files may hold experts in MXFP4, as `quantization_config` says then.
  package var mayBeMXFP4 = false

  package init() {}

  /// The keys that only files with experts have.
  var names: [String] {
    ["num_local_experts", "num_experts", "num_experts_per_tok"]
      + (haveOwnWidth ? ["moe_intermediate_size"] : [])
      + (haveSharedOne ? ["shared_expert_intermediate_size"] : [])
      + (weighting == .configured ? ["norm_topk_prob"] : [])
      + (areSparse ? ["mlp_only_layers", "decoder_sparse_step"] : [])
      + (clamp != nil ? ["swiglu_alpha", "swiglu_limit"] : [])
  }
}

extension ExpertSettings {
  /// Reads them.
  ///
  /// - Throws: `SpeculateError` naming the file and the setting that is missing or wrong.
  init(_ file: ConfigurationFile, _ keys: ExpertKeys, layerCount: Int) throws {
    let weighting: ExpertWeighting =
      switch keys.weighting {
      case .always(let weighting): weighting
      case .configured: try file.bool("norm_topk_prob") ?? false ? .ofAllNormalized : .ofAll
      }
    options = ExpertOptions(
      count: try file.requiredInteger("num_local_experts"),
      chosen: try file.requiredInteger("num_experts_per_tok"),
      intermediate: try file.requiredInteger(
        keys.haveOwnWidth ? "moe_intermediate_size" : "intermediate_size"), weighting: weighting)
    options.routerBias = keys.routerBias
    if keys.haveSharedOne {
      options.shared = SharedExpertOptions(
        intermediate: try file.requiredInteger("shared_expert_intermediate_size"), isGated: true)
    }
    clamp = try keys.clamp.map { standard in
      GateClamp(
        alpha: try file.number("swiglu_alpha").map { Float($0) } ?? standard.alpha,
        limit: try file.number("swiglu_limit").map { Float($0) } ?? standard.limit)
    }
    plainLayers =
      keys.areSparse ? try Self.plainLayers(file, layerCount: layerCount) : []
  }

  private static func plainLayers(_ file: ConfigurationFile, layerCount: Int) throws -> [Bool] {
    let named = Set(try file.integers("mlp_only_layers") ?? [])
    let step = try file.integer("decoder_sparse_step") ?? 1
    guard step > 0 else {
      throw file.problem("decoder_sparse_step is \(step), but must be above 0")
    }
    // The count is checked later.
    let plain = (0..<max(0, min(layerCount, 1 << 12))).map {
      named.contains($0) || ($0 + 1) % step != 0
    }
    return plain.contains(true) ? plain : []
  }

  /// What is out of range, in the names of `config.json`; nil if nothing is.
  func complaint(_ family: ModelFamily, layerCount: Int) -> String? {
    guard let keys = family.experts else { return "\(family.name) models have no experts" }
    func outside<T: Comparable>(_ name: String, _ value: T, _ range: ClosedRange<T>) -> String? {
      range.contains(value)
        ? nil
        : "\(family.key(name)) is \(value), but must be from \(range.lowerBound) to "
          + "\(range.upperBound)"
    }
    if let wrong = outside("num_local_experts", options.count, 1...1 << 10)
      ?? outside("num_experts_per_tok", options.chosen, 1...options.count)
      ?? outside(
        keys.haveOwnWidth ? "moe_intermediate_size" : "intermediate_size", options.intermediate,
        1...1 << 20)
      ?? options.shared.flatMap({
        outside("shared_expert_intermediate_size", $0.intermediate, 1...1 << 20)
      })
      ?? clamp.flatMap({
        outside("swiglu_limit", $0.limit, 1e-3...1e6) ?? outside("swiglu_alpha", $0.alpha, 0...1e3)
      })
    {
      return wrong
    }
    guard plainLayers.isEmpty || plainLayers.count == layerCount else {
      return "mlp_only_layers speak of \(plainLayers.count) layers, but num_hidden_layers is "
        + "\(layerCount)"
    }
    guard (options.shared != nil) == keys.haveSharedOne, (clamp != nil) == (keys.clamp != nil),
      options.routerBias == keys.routerBias, keys.areSparse || plainLayers.isEmpty
    else { return "\(family.name) models have other experts" }
    switch keys.weighting {
    case .always(let weighting):
      return weighting == options.weighting ? nil : "\(family.name) models weigh experts otherwise"
    case .configured:
      return options.weighting != .ofChosen
        ? nil : "\(family.name) models weigh experts otherwise"
    }
  }

  /// The settings as members of a `config.json`.
  func members(_ family: ModelFamily) -> [String: JSONValue] {
    guard let keys = family.experts else { return [:] }
    var members: [String: JSONValue] = [
      "num_local_experts": .integer(options.count), "num_experts_per_tok": .integer(options.chosen),
    ]
    if keys.haveOwnWidth { members["moe_intermediate_size"] = .integer(options.intermediate) }
    if let shared = options.shared {
      members["shared_expert_intermediate_size"] = .integer(shared.intermediate)
    }
    if keys.weighting == .configured {
      members["norm_topk_prob"] = .bool(options.weighting == .ofAllNormalized)
    }
    if keys.areSparse {
      members["decoder_sparse_step"] = .integer(1)
      members["mlp_only_layers"] = .array(
        plainLayers.indices.filter { plainLayers[$0] }.map { .integer($0) })
    }
    if let clamp {
      // The shortest decimals of the f32.
      members["swiglu_alpha"] = .number(Double("\(clamp.alpha)") ?? Double(clamp.alpha))
      members["swiglu_limit"] = .number(Double("\(clamp.limit)") ?? Double(clamp.limit))
    }
    return members
  }
}
