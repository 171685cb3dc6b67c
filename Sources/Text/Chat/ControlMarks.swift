import Files

/// Tells special tokens that a chat template writes from their spellings in what people say.
///
/// The spellings in a conversation stand between two characters of private use while the template runs, as in
/// `sanitize_control_tokens` of transformers 5. Text between them is encoded as text.
struct ControlMarks: Sendable {
  private let tokenizer: any Tokenizer
  /// The spellings of special tokens by their first byte, longer ones first.
  private let spellings: [UInt8: [[UInt8]]]

  private static let begin = "\u{F8F0}"
  private static let end = "\u{F8F1}"

  init(_ tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    let all = (0..<tokenizer.vocabularySize).compactMap { id -> [UInt8]? in
      let token = Token(id)
      guard tokenizer.isSpecial(token), let piece = tokenizer.piece(of: token), !piece.isEmpty
      else { return nil }
      return Array(piece.utf8)
    }
    spellings = Dictionary(grouping: all.sorted { $0.count > $1.count }) { $0[0] }
  }

  /// A text without its own marks, and with some around each special token's spelling.
  func marking(_ text: String) -> String {
    let bytes = Array(unmarked(text).utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let rest = bytes[index...]
      if let spelling = spellings[bytes[index]]?.first(where: { rest.starts(with: $0) }) {
        result += Array((Self.begin).utf8) + spelling + Array(Self.end.utf8)
        index += spelling.count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  func unmarked(_ text: String) -> String {
    PythonText.replaced(PythonText.replaced(text, Self.begin, ""), Self.end, "")
  }

  /// The ids of a text with marks: what stands between them, and a mark that lost its other half, makes no
  /// special token.
  ///
  /// - Throws: `SpeculateError` when the tokenizer makes one of plain text all the same.
  func encode(_ text: String, _ name: String) throws -> [Token] {
    var ids: [Token] = []
    var isFirst = true
    for (index, part) in PythonText.parts(text, between: Self.begin).enumerated() {
      var rest = part
      if index > 0,
        let place = PythonText.places(
          of: Array(Self.end.utf8), in: Array(part.utf8), limit: 1
        ).first
      {
        let marked = String(decoding: part.utf8.prefix(place.lowerBound), as: UTF8.self)
        rest = String(decoding: part.utf8.dropFirst(place.upperBound), as: UTF8.self)
        let own = try encode(marked, parsesSpecial: false, isFirst: isFirst)
        guard !own.contains(where: tokenizer.isSpecial) else {
          throw SpeculateError(
            "\(name): the tokenizer makes \(quoted(marked)) of plain text too, so that it can't stand "
              + "in a message; remove it")
        }
        ids += own
        isFirst = isFirst && marked.isEmpty
      }
      for piece in PythonText.parts(rest, between: Self.end) where !piece.isEmpty {
        ids += try encode(piece, parsesSpecial: true, isFirst: isFirst)
        isFirst = false
      }
    }
    return ids
  }

  /// The ids of a piece, which is not the beginning of a text unless it is the first.
  private func encode(_ piece: String, parsesSpecial: Bool, isFirst: Bool) throws -> [Token] {
    func ids(_ text: String) throws -> [Token] {
      try tokenizer.encode(text, addSpecial: false, parseSpecial: parsesSpecial)
    }
    guard !isFirst else { return try ids(piece) }
    // Behind a line feed no space is put in front; then the line feed goes again.
    let line = try tokenizer.encode("\n", addSpecial: false)
    let both = try ids("\n" + piece)
    return both.starts(with: line) ? Array(both.dropFirst(line.count)) : try ids(piece)
  }
}
