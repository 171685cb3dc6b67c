package import Files

/// Turns tokens into text as they arrive, without ever giving out half a character.
///
/// The pieces given out, joined, are exactly what ``Tokenizer/decode(_:skipSpecial:)`` makes of
/// all the ids at once.
package struct StreamingDetokenizer: Sendable {
  private let tokenizer: any Tokenizer
  private let skipSpecial: Bool
  private var stripper: LeadingSpaceStripper
  /// The beginning of a character whose other bytes have not arrived: at most 3 bytes.
  private var pending: [UInt8] = []

  /// Makes a detokenizer for one text.
  ///
  /// - Parameters:
  ///   - tokenizer: The tokenizer the ids come from.
  ///   - continuing: Whether the ids continue a text given out before, such as a prompt. A leading
  ///     space is then text, whatever the tokenizer's ``Tokenizer/leadingSpaceRule``.
  ///   - skipSpecial: Whether special tokens add nothing (`true`) or their spelling.
  package init(_ tokenizer: any Tokenizer, continuing: Bool = false, skipSpecial: Bool = true) {
    self.tokenizer = tokenizer
    self.skipSpecial = skipSpecial
    stripper = LeadingSpaceStripper(rule: continuing ? .keep : tokenizer.leadingSpaceRule)
  }

  /// Takes one token and returns the characters it completes, often none.
  package mutating func append(_ id: Token) -> String {
    if tokenizer.isSpecial(id) {
      guard !skipSpecial, let piece = tokenizer.piece(of: id) else { return "" }
      pending += stripper.special(piece)
    } else {
      pending += stripper.text(tokenizer.bytes(of: id))
    }
    let complete = pending.count - Self.incompleteTail(of: pending)
    guard complete > 0 else { return "" }
    let text = String(decoding: pending[..<complete], as: UTF8.self)
    pending.removeFirst(complete)
    return text
  }

  /// Ends the text: an incomplete character still held back becomes U+FFFD.
  ///
  /// The detokenizer is then ready for more tokens of the same text.
  package mutating func finish() -> String {
    defer { pending.removeAll() }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end may be the beginning of a character: 0…3.
  ///
  /// Follows Table 3-7 of the Unicode Standard (well-formed UTF-8), so that bytes which no
  /// continuation can complete are not held back.
  static func incompleteTail(of bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let lead = bytes[bytes.count - length]
      if lead & 0xC0 == 0x80 { continue }
      let expected: Int
      switch lead {
      case 0xC2...0xDF: expected = 2
      case 0xE0...0xEF: expected = 3
      case 0xF0...0xF4: expected = 4
      default: return 0
      }
      guard length < expected else { return 0 }
      if length > 1 {
        let second = bytes[bytes.count - length + 1]
        switch lead {
        case 0xE0 where second < 0xA0, 0xED where second > 0x9F: return 0
        case 0xF0 where second < 0x90, 0xF4 where second > 0x8F: return 0
        default: break
        }
      }
      return length
    }
    return 0
  }
}
