import Files

/// Reads the `pre_tokenizer` of a tokenizer.json.
struct PreTokenizerJSON {
  var preTokenizer = PreTokenizer()
  /// Whether pieces are spelled in the alphabet of bytes.
  var isByteLevel = false

  /// Reads a pre-tokenizer, `nil` for none.
  init(_ node: JSONNode?) throws {
    guard let node else { return }
    for (node, type, fields) in try node.sequence("pretokenizers", kind: "pre_tokenizer") {
      guard !isByteLevel else {
        throw node.error("the pre_tokenizer \(quoted(type)) behind 'ByteLevel' is not supported")
      }
      switch type {
      case "ByteLevel":
        isByteLevel = true
        if fields["add_prefix_space"]?.bool ?? true { try setPrefix(.always, node) }
        if fields["use_regex"]?.bool ?? true { preTokenizer.steps.append(.gpt2) }
      case "Split": preTokenizer.steps.append(try Self.split(fields, node))
      case "Digits":
        preTokenizer.steps.append(.digits(each: fields["individual_digits"]?.bool ?? false))
      case "Metaspace":
        guard fields["replacement"]?.string ?? "\u{2581}" == "\u{2581}" else {
          throw node.error("a Metaspace 'replacement' other than '▁' is not supported")
        }
        try setPrefix(try Self.prefix(ofMetaspace: fields, node), node)
        preTokenizer.replacesSpaces = true
        if fields["split"]?.bool ?? true { preTokenizer.steps.append(.metaspace) }
      default: throw node.error("the pre_tokenizer \(quoted(type)) is not supported")
      }
    }
    if isByteLevel, preTokenizer.replacesSpaces {
      throw node.error("a pre_tokenizer with both 'Metaspace' and 'ByteLevel' is not supported")
    }
  }

  private mutating func setPrefix(_ prefix: PreTokenizer.Prefix, _ node: JSONNode) throws {
    guard preTokenizer.steps.isEmpty else {
      throw node.error("a space in front of what another pre_tokenizer has cut is not supported")
    }
    preTokenizer.spacePrefix = prefix
  }

  /// When a `Metaspace`, as a pre-tokenizer or a decoder, puts a space in front.
  static func prefix(
    ofMetaspace fields: [String: JSONNode], _ node: JSONNode
  ) throws -> PreTokenizer.Prefix {
    guard let scheme = fields["prepend_scheme"]?.string else {
      return fields["add_prefix_space"]?.bool == false ? .never : .always
    }
    switch scheme {
    case "always": return .always
    case "first": return .first
    case "never": return .never
    default: throw node.error("the Metaspace prepend_scheme \(quoted(scheme)) is not supported")
    }
  }

  private static func split(
    _ fields: [String: JSONNode], _ node: JSONNode
  ) throws -> PreTokenizer.Step {
    guard let pattern = try fields["pattern"]?.members()["Regex"]?.string else {
      throw node.error("a pre_tokenizer 'Split' by anything but a 'Regex' is not supported")
    }
    guard let step = PreTokenizer.Step(pattern: pattern) else {
      throw node.error("the pre_tokenizer pattern \(quoted(pattern)) is not supported")
    }
    // The known patterns match everything, so keeping the matches is keeping the whole text.
    let behavior = fields["behavior"]?.string ?? "none"
    let invert = fields["invert"]?.bool ?? false
    guard (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert) else {
      throw node.error(
        "a pre_tokenizer 'Split' with behavior \(quoted(behavior)) and invert \(invert) is not supported"
      )
    }
    return step
  }
}
