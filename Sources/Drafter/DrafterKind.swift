/// What a block drafter sees of the text before a block.
public enum DrafterKind: String, Sendable, CaseIterable {
  /// What the target has computed about it (DFlash, arXiv 2602.06036; ALGORITHMS 3.1).
  case conditioned
  /// Its tokens alone, so that one drafter may serve several targets of the same tokenizer (DEER,
  /// arXiv 2512.15176; ALGORITHMS 3.2).
  case tokens

  /// The name of the kind in `config.json`.
  public var architecture: String {
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

  /// The kind that an architecture names.
  public init?(architecture: String) {
    guard let kind = Self.allCases.first(where: { $0.architecture == architecture }) else {
      return nil
    }
    self = kind
  }
}
