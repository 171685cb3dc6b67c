internal import Files
internal import Tensors

/// What a block drafter sees of the text before a block, and what differs by it.
package enum DrafterKind: String, Sendable, CaseIterable {
  /// What the target has computed about it (DFlash, arXiv 2602.06036; docs/algorithms.md 3.1).
  case conditioned
  /// Its tokens alone, so that one drafter may serve several targets of the same tokenizer (DEER,
  /// arXiv 2512.15176; docs/algorithms.md 3.2).
  case tokens

  /// Whether context comes from the target's features; else it comes from tokens, which go through the
  /// drafter's own layers.
  package var readsFeatures: Bool { self == .conditioned }

  /// What a draft pass takes longer for, if anything.
  package var cost: String? { readsFeatures ? nil : "sees tokens" }

  /// The name of the kind in `config.json`.
  package var architecture: String {
    switch self {
    case .conditioned: "DFlashDraftModel"
    case .tokens: "DEERDraftModel"
    }
  }

  /// The name of the kind's own settings in `config.json`.
  var settings: String {
    switch self {
    case .conditioned: "dflash_config"
    case .tokens: "deer_config"
    }
  }
}

extension DrafterConfiguration {
  /// The name of the drafter's kind in `config.json`.
  package var architecture: String {
    isSecond ? DrafterDialect.secondArchitecture : kind.architecture
  }

  var kindMembers: [String: JSONValue] {
    var settings: [String: JSONValue] = ["mask_token_id": .integer(Int(maskToken))]
    if isCausal { settings["causal_head"] = .bool(true) }
    if samplesAnchor { settings["sample_from_anchor"] = .bool(true) }
    settings.merge(factors.members) { _, new in new }
    if isSecond {
      settings.merge(convolution?.members ?? ConvolutionShape.none) { _, new in new }
      settings.merge(CandidateSelectorConfiguration.none) { _, new in new }
    }
    settings.merge(heads.settings) { _, new in new }
    switch kind {
    case .conditioned:
      settings["target_layer_ids"] = .array(targetLayers.map { .integer($0) })
      var members: [String: JSONValue] = [kind.settings: .object(settings)]
      if targetLayerCount > 0 { members["num_target_layers"] = .integer(targetLayerCount) }
      return members
    case .tokens:
      settings["own_embedding"] = .bool(ownsEmbedding)
      return [kind.settings: .object(settings)]
    }
  }

  /// What the drafter sees, for reports of its training.
  package var contextSummary: String {
    switch kind {
    case .conditioned: "target layers \(targetLayers)"
    case .tokens:
      "sees tokens alone, with " + (ownsEmbedding ? "its own embedding" : "the target's embedding")
    }
  }

  /// What the drafter expects of its target, for reports.
  ///
  /// - Parameter vocabulary: How many tokens that is, in words.
  package func targetSummary(vocabulary: String) -> String {
    switch kind {
    case .conditioned:
      (targetLayerCount > 0 ? "\(targetLayerCount) layers, taps after " : "taps after layers ")
        + targetLayers.map(String.init).joined(separator: ", ") + "; \(vocabulary)"
    case .tokens where ownsEmbedding: "any; \(vocabulary), with an embedding of the drafter's own"
    case .tokens: "any of width \(shape.hidden), whose embedding it borrows; \(vocabulary)"
    }
  }
}
