import Files
import Speculate
import Text

/// Tokens as answers show them.
struct TokenSpelling: Sendable {
  let tokenizer: any Tokenizer

  /// The bytes that a token adds to a text; of a special token its spelling.
  func bytes(of id: Token) -> [UInt8] {
    if tokenizer.isSpecial(id), let piece = tokenizer.piece(of: id) { return Array(piece.utf8) }
    return tokenizer.bytes(of: id)
  }

  /// A token as text; what is no whole character becomes U+FFFD.
  func text(of id: Token) -> String { String(decoding: bytes(of: id), as: UTF8.self) }

  /// A token as a name that tells it from others: bytes that are no whole character as `bytes:\xe2\x80`,
  /// OpenAI's way.
  func name(of id: Token) -> String {
    let bytes = bytes(of: id)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    return "bytes:"
      + bytes.map { byte in
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined()
  }

  /// The text of ids, special tokens spelled out or left out.
  func text(of ids: [Token], skipSpecial: Bool) -> String {
    var detokenizer = StreamingDetokenizer(tokenizer, skipSpecial: skipSpecial)
    return ids.map { detokenizer.append($0) }.joined() + detokenizer.finish()
  }
}

extension JSONValue {
  /// A log-probability; JSON has no infinity, and OpenAI says −9999 instead.
  static func logProbability(_ value: Float) -> JSONValue {
    value.isFinite ? .number(Double("\(value)") ?? Double(value)) : .number(-9999)
  }
}
