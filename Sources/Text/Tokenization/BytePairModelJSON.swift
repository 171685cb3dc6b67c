import Files

/// Reads vocabulary and merges: the `model` of a tokenizer.json.
struct BytePairModelJSON {
  let node: JSONNode
  /// Whether pieces are spelled in the alphabet of bytes.
  let isByteLevel: Bool

  /// A token from a number in a file, `nil` when it is out of the range any vocabulary has.
  static func token(_ number: Int) -> Token? {
    (0..<1 << 24).contains(number) ? Token(number) : nil
  }

  func model() throws -> BytePairModel {
    let fields = try node.members()
    // Files of old versions have no type.
    let type = fields["type"]?.string ?? (fields["merges"] == nil ? "without a type" : "BPE")
    guard type == "BPE" else {
      throw node.error(
        "the tokenizer model \(quoted(type)) is not supported, only BPE is"
          + (type == "Unigram" ? "; if there is a tokenizer.model, remove this file" : ""))
    }
    try refuse(fields, "dropout") { $0.isNull || $0.number == 0 }
    try refuse(fields, "continuing_subword_prefix") { $0.isNull || $0.string == "" }
    try refuse(fields, "end_of_word_suffix") { $0.isNull || $0.string == "" }
    guard let vocabulary = fields["vocab"], let list = fields["merges"] else {
      throw node.error("the model has no 'vocab' or no 'merges'")
    }
    var builder = try BytePairModelBuilder(vocabulary: vocabulary, isByteLevel: isByteLevel)
    guard list.isArray else { throw list.error("'merges' is not a list") }
    try list.forEachElement { try addMerge($0, to: &builder) }
    let unknown = fields["unk_token"].flatMap { $0.isNull ? nil : $0.string }
    return try builder.model(
      byteFallback: fields["byte_fallback"]?.bool ?? false, unknown: unknown,
      fusesUnknown: fields["fuse_unk"]?.bool ?? false,
      ignoresMerges: fields["ignore_merges"]?.bool ?? false)
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
