import Files

/// Reads the `model` of a tokenizer.json that is a byte-pair encoding: vocabulary and merges.
struct BytePairModelJSON {
  let node: JSONNode
  /// Whether pieces are spelled in the alphabet of bytes.
  let isByteLevel: Bool

  /// A token from a number in a file, `nil` when it is out of the range any vocabulary has.
  static func token(_ number: Int) -> Token? {
    (0..<1 << 24).contains(number) ? Token(number) : nil
  }

  func model() throws -> BytePairModel {
    let settings = JSONSettings(node, try node.members(), of: "model")
    let fields = settings.fields
    try refuse(fields, "dropout") { $0.isNull || $0.number == 0 }
    try refuse(fields, "continuing_subword_prefix") { $0.isNull || $0.string == "" }
    try refuse(fields, "end_of_word_suffix") { $0.isNull || $0.string == "" }
    guard let vocabulary = fields["vocab"], let list = fields["merges"] else {
      throw node.error("the model has no 'vocab' or no 'merges'")
    }
    var builder = try BytePairModelBuilder(vocabulary: vocabulary, isByteLevel: isByteLevel)
    guard list.isArray else { throw list.error("'merges' is not a list") }
    try list.forEachElement { try addMerge($0, to: &builder) }
    return try builder.model(
      byteFallback: try settings.flag("byte_fallback", default: false),
      unknown: try settings.string("unk_token"),
      fusesUnknown: try settings.flag("fuse_unk", default: false),
      ignoresMerges: try settings.flag("ignore_merges", default: false))
  }

  private func refuse(
    _ fields: [String: JSONNode], _ key: String, unless isHarmless: (JSONNode) -> Bool
  ) throws {
    if let value = fields[key], !isHarmless(value) {
      throw value.error("the model's '\(key)' is not supported")
    }
  }

  /// A merge is `"a b"` or `["a", "b"]`.
  private func addMerge(_ merge: JSONNode, to builder: inout BytePairModelBuilder) throws {
    if let line = merge.stringBytes { return try builder.addMerge(line: line) }
    var left: ArraySlice<UInt8>?
    var right: ArraySlice<UInt8>?
    var count = 0
    try merge.forEachElement { element in
      if count == 0 { left = element.stringBytes } else { right = element.stringBytes }
      count += 1
    }
    guard count == 2, let left, let right else {
      throw merge.error("merge \(builder.mergeCount) is not a pair of strings")
    }
    try builder.addMerge(left, right)
  }
}
