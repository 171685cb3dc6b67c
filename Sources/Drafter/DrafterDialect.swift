package import Files

/// A project's way of writing a block drafter's `config.json`. Tensors have the same names in all of them.
enum DrafterDialect {
  /// z-lab's DFlash (arXiv 2602.06036), and JetSpec's, which adds `causal_head`: settings in `dflash_config`.
  case dflash
  /// z-lab's DFlash 2: convolutions and a candidate selector besides.
  case dflash2
  /// DeepSpec's DSpark (arXiv 2607.05147) and its DFlash without a Markov chain: settings beside a copy of the
  /// target's.
  case deepSpec
  /// vLLM's speculators: the layers' settings in `transformer_layer_config`.
  case speculators
  /// Our own, of drafters that see tokens alone: settings in `deer_config`.
  case tokens

  /// Finds out which one a file is in.
  ///
  /// - Throws: `SpeculateError` when it describes no drafter, or one that isn't supported.
  init(_ file: ConfigurationFile) throws {
    if let type = try file.text("speculators_model_type") {
      guard ["dflash", "dspark"].contains(type) else {
        throw file.problem(
          "'speculators_model_type' \(quoted(type)) is not supported; only dflash and dspark are")
      }
      self = .speculators
      return
    }
    let found = try file.texts("architectures") ?? []
    switch found {
    case [DrafterKind.conditioned.architecture]: self = .dflash
    case [DrafterKind.tokens.architecture]: self = .tokens
    case ["Qwen3DSparkModel"]: self = .deepSpec
    case [Self.secondArchitecture]: self = .dflash2
    case ["Gemma4DSparkModel"]:
      throw file.problem(
        "Gemma 4's layers (architecture 'Gemma4DSparkModel') are not supported in drafters; use a "
          + "drafter of Qwen 3's layers")
    default:
      let names =
        (DrafterKind.allCases.map(\.architecture) + [Self.secondArchitecture])
        .joined(separator: ", ") + " or Qwen3DSparkModel"
      throw file.problem(
        found.isEmpty
          ? "'architectures' is missing; is this a drafter?"
          : "architecture '\(found.joined(separator: ", "))' is not a drafter; ‘drafter’ wants "
            + names + ", or a supported causal model")
    }
  }

  /// The architectures that projects give block drafters, supported or not.
  fileprivate static let architectures: Set = [
    "DFlashDraftModel", "DEERDraftModel", "Qwen3DSparkModel", "Gemma4DSparkModel",
    secondArchitecture,
  ]

  static let secondArchitecture = "DFlash2DraftModel"

  /// Whether a file describes a DFlash 2 drafter, in a layout of its own.
  static func isSecond(_ file: ConfigurationFile) throws -> Bool {
    try file.value("speculators_model_type") == nil
      && file.texts("architectures") == [secondArchitecture]
  }

  /// Whether layers may have windows.
  var hasWindows: Bool { self == .dflash || self == .dflash2 }

  /// Settings that change the computation and are read, which other layouts may not have.
  var understood: Set<String> {
    switch self {
    case .deepSpec, .speculators, .tokens: []
    case .dflash: DrafterFactors.keys.union(["use_sliding_window"])
    case .dflash2:
      Self.dflash.understood.union([
        "conv_kernel_size", "conv_group_size", "selector_rank", "selector_top_k",
      ])
    }
  }

  var kind: DrafterKind { self == .tokens ? .tokens : .conditioned }

  /// Where the block's settings are.
  func settings(_ file: ConfigurationFile) throws -> ConfigurationFile {
    switch self {
    case .deepSpec, .speculators: return file
    case .dflash, .dflash2, .tokens:
      guard let section = try file.section(kind.settings) else {
        throw file.problem("'\(kind.settings)' is missing; is this a drafter?")
      }
      return section
    }
  }

  /// Where the layers' settings are.
  func layers(_ file: ConfigurationFile) throws -> ConfigurationFile {
    guard self == .speculators else { return file }
    guard let section = try file.section("transformer_layer_config") else {
      throw file.problem("'transformer_layer_config' is missing; is this a drafter?")
    }
    return section
  }

  /// Whether the anchor's row drafts too, all rows foretelling the token behind theirs, where the file doesn't
  /// say.
  func samplesAnchor(_ file: ConfigurationFile) throws -> Bool {
    switch self {
    case .deepSpec: true
    case .speculators: try file.text("speculators_model_type") == "dspark"
    case .dflash, .dflash2, .tokens: false
    }
  }

  /// The target's layers whose outputs are features, 0-based, and how many layers it has; 0 where the file
  /// doesn't say.
  func targetLayers(
    _ file: ConfigurationFile, _ settings: ConfigurationFile, layerCount: Int
  ) throws -> (layers: [Int], count: Int) {
    switch self {
    case .tokens: return ([], 0)
    case .speculators:
      let key = "aux_hidden_state_layer_ids"
      guard let ids = try file.integers(key), !ids.isEmpty, ids.count <= 4096 else {
        throw file.problem("'\(key)' is missing; is this a drafter?")
      }
      // Layer n is what comes into it there, and what comes out of the one before.
      guard ids.allSatisfy({ (1...4096).contains($0) }) else {
        throw file.problem(
          "'\(key)' \(ids) must name layers 1 to 4096; the embedding's output isn't supported")
      }
      return (ids.map { $0 - 1 }, 0)
    case .dflash, .dflash2, .deepSpec:
      let ids = try settings.integers("target_layer_ids")
      let stated = try file.optionalSize("num_target_layers", atMost: 4096)
      let count = try stated ?? (ids == nil ? file.size("num_target_layers") : 0)
      let layers = ids ?? (self != .deepSpec ? Self.usualLayers(layerCount, of: count) : [])
      let known = 0..<(count > 0 ? count : 4096)
      guard !layers.isEmpty, layers.count <= known.count, layers.allSatisfy(known.contains) else {
        throw file.problem(
          "'target_layer_ids' \(layers) must name layers 0 to \(known.upperBound - 1)")
      }
      return (layers, count)
    }
  }

  /// z-lab's choice where a file has none: `DrafterConfiguration.defaultTargetLayers`, but halves are rounded to
  /// even numbers.
  private static func usualLayers(_ layers: Int, of target: Int) -> [Int] {
    guard layers > 1 else { return [target / 2] }
    return (0..<layers).map { index in
      let spread = Double(index) * Double(target - 4) / Double(layers - 1)
      return Int((1 + spread).rounded(.toNearestOrEven))
    }
  }
}

extension DrafterConfiguration {
  /// Whether a `config.json` describes a block drafter, supported or not.
  package static func isMeant(by file: ConfigurationFile) throws -> Bool {
    if file.value("speculators_model_type") != nil { return true }
    return try file.texts("architectures")?.contains(where: DrafterDialect.architectures.contains)
      ?? false
  }
}
