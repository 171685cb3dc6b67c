import Files

/// Reads the `pre_tokenizer` of a tokenizer.json.
struct PreTokenizerJSON {
  var preTokenizer = PreTokenizer()
  /// Whether the last thing done is to spell bytes in their alphabet.
  var endsWithByteLevel = false
  /// What a `Metaspace` puts for a space; nil without one.
  private(set) var spaceReplacement: [UInt8]?
  /// Whether something may be put in front of a text.
  private(set) var hasPrefix = false

  /// Reads a pre-tokenizer, `nil` for none.
  init(_ node: JSONNode?) throws {
    guard let node else { return }
    for (node, type, fields) in try node.sequence("pretokenizers", kind: "pre_tokenizer") {
      endsWithByteLevel = type == "ByteLevel"
      try add(type, JSONSettings(node, fields, of: "pre_tokenizer '\(type)'"))
    }
  }

  private mutating func add(_ type: String, _ settings: JSONSettings) throws {
    switch type {
    case "ByteLevel":
      if try settings.flag("add_prefix_space", default: true) {
        append(.prefix([UInt8(ascii: " ")], .always))
      }
      if try settings.flag("use_regex", default: true) { append(.gpt2) }
      append(.byteAlphabet)
    case "Metaspace":
      let (text, prefix) = try Self.metaspace(settings)
      spaceReplacement = text
      append(.replace([UInt8(ascii: " ")], with: text))
      if prefix != .never { append(.prefix(text, prefix)) }
      if try settings.flag("split", default: true) { append(.wordStart(at: text)) }
    case "Split": append(try Self.split(settings))
    case "Digits":
      append(.digits(each: try settings.flag("individual_digits", default: false)))
    case "Punctuation":
      let behavior = try settings.behavior(default: .isolated)
      append(.split(TextSplit(.character(.punctuation), behavior)))
    case "Whitespace":
      let words = try RegularExpression(
        #"[[:word:]\u200C\u200D]+|[^[:word:]\u200C\u200D\s]+"#, name: settings.node.text.name)
      append(.split(TextSplit(.pattern(words), .removed, isInverted: true)))
    case "WhitespaceSplit": append(.split(TextSplit(.character(.space), .removed)))
    case "BertPreTokenizer":
      append(.split(TextSplit(.character(.space), .removed)))
      append(.split(TextSplit(.character(.punctuation), .isolated)))
    case "CharDelimiterSplit":
      let text = try settings.text("delimiter")
      append(.split(TextSplit(.string(text), .removed)))
    default: throw settings.node.error("the pre_tokenizer \(quoted(type)) is not supported")
    }
  }

  private mutating func append(_ step: PreTokenizer.Step) {
    if case .prefix = step { hasPrefix = true }
    preTokenizer.steps.append(step)
  }

  /// What a `Metaspace`, as a pre-tokenizer or a decoder, puts for a space, and when in front.
  static func metaspace(
    _ settings: JSONSettings
  ) throws -> (replacement: [UInt8], prefix: PreTokenizer.Prefix) {
    let text =
      settings.fields["replacement"] == nil
      ? PreTokenizer.metaspace : try settings.text("replacement")
    guard let scheme = try settings.string("prepend_scheme") else {
      return (text, try settings.flag("add_prefix_space", default: true) ? .always : .never)
    }
    switch scheme {
    case "always": return (text, .always)
    case "first": return (text, .first)
    case "never": return (text, .never)
    default:
      throw settings.node.error("the Metaspace prepend_scheme \(quoted(scheme)) is not supported")
    }
  }

  private static func split(_ settings: JSONSettings) throws -> PreTokenizer.Step {
    let behavior = try settings.behavior(default: nil)
    let isInverted = try settings.flag("invert", default: false)
    switch try settings.pattern() {
    case .string(let text):
      return .split(TextSplit(.string(text), behavior, isInverted: isInverted))
    case .expression(let pattern):
      // The patterns done by hand match everything, so keeping the matches is keeping the whole text.
      if (behavior == .isolated && !isInverted) || (behavior == .removed && isInverted),
        let step = PreTokenizer.Step(pattern: pattern)
      {
        return step
      }
      let expression = try RegularExpression(pattern, name: settings.node.text.name)
      return .split(TextSplit(.pattern(expression), behavior, isInverted: isInverted))
    }
  }
}

extension JSONSettings {
  fileprivate func behavior(default standard: TextSplit.Behavior?) throws -> TextSplit.Behavior {
    let name = try string("behavior")
    if name == nil, let standard { return standard }
    guard let behavior = TextSplit.Behavior(rawValue: name ?? "") else {
      throw node.error("the 'behavior' \(quoted(name ?? "")) of the \(kind) is not supported")
    }
    return behavior
  }
}
