import Files

/// Reads the `model` of a tokenizer.json.
struct PieceModelJSON {
  private let node: JSONNode
  private let fields: [String: JSONNode]
  /// Whether pieces are kept as the bytes that they spell in the alphabet of bytes, and words are bytes.
  let isByteLevel: Bool

  // Files of old versions have no type.
  private var type: String {
    fields["type"]?.string ?? (fields["merges"] == nil ? "without a type" : "BPE")
  }

  /// Takes a model's node.
  ///
  /// - Parameter seesBytes: Whether words come in the alphabet of bytes and pieces are decoded by it.
  init(_ node: JSONNode, seesBytes: Bool) throws {
    self.node = node
    fields = try node.members()
    let type = fields["type"]?.string ?? "BPE"
    isByteLevel = seesBytes && type == "BPE" && fields["byte_fallback"]?.bool != true
  }

  func model() throws -> any PieceModel {
    switch type {
    case "BPE": return try BytePairModelJSON(node: node, isByteLevel: isByteLevel).model()
    case "Unigram": return try unigram(JSONSettings(node, fields, of: "model"))
    default:
      throw node.error(
        "the tokenizer model \(quoted(type)) is not supported, only BPE and Unigram are")
    }
  }

  private func unigram(_ settings: JSONSettings) throws -> UnigramModel {
    guard let list = settings.fields["vocab"], list.isArray else {
      throw node.error("the model has no list 'vocab'")
    }
    var pieces: [(spelling: [UInt8], score: Double)] = []
    try list.forEachElement { element in
      let pair = try element.elements()
      guard pair.count == 2, let spelling = pair[0].stringBytes, let score = pair[1].number,
        score.isFinite, BytePairModelJSON.token(pieces.count) != nil
      else { throw element.error("piece \(pieces.count) is not a string and a number") }
      pieces.append((Array(spelling), score))
    }
    guard !pieces.isEmpty else { throw list.error("the vocabulary is empty") }
    let unknown = try settings.integer("unk_id")
    guard unknown.map(pieces.indices.contains) ?? true else {
      throw node.error("the model's 'unk_id' is no piece of the \(pieces.count) that there are")
    }
    return UnigramModel(
      pieces: pieces, unknownToken: unknown.map { Token($0) },
      fallsBackToBytes: try settings.flag("byte_fallback", default: false), name: node.text.name)
  }
}
