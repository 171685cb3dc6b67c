import Files

/// Finds added tokens in a text: the leftmost, and of those the longest.
///
/// Follows `AddedVocabulary::find_matches` of huggingface/tokenizers 0.21, except that a special
/// token which is not looked for hides no other token.
struct AddedTokenMatcher: Sendable {
  /// A part of a text: either a token found in it or what lies between two of them.
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Token)
  }

  private struct Pattern: Sendable {
    let bytes: [UInt8]
    let token: AddedToken
  }

  /// [256] patterns by their first byte, longest first.
  private var byFirstByte: [[Pattern]] = Array(repeating: [], count: 256)
  private(set) var isEmpty = true

  /// Makes a matcher for patterns, in UTF-8, and their tokens; empty patterns are ignored.
  init(_ patterns: [(bytes: [UInt8], token: AddedToken)]) {
    for (bytes, token) in patterns {
      guard let first = bytes.first else { continue }
      byFirstByte[Int(first)].append(Pattern(bytes: bytes, token: token))
      isEmpty = false
    }
    for first in byFirstByte.indices { byFirstByte[first].sort { $0.bytes.count > $1.bytes.count } }
  }

  /// Cuts a text into tokens and non-empty stretches between them.
  func split(_ text: UnsafeBufferPointer<UInt8>, parseSpecial: Bool) -> [Part] {
    guard !isEmpty, !text.isEmpty else { return text.isEmpty ? [] : [.text(0..<text.count)] }
    var parts: [Part] = []
    var start = 0
    var position = 0
    while position < text.count {
      guard let found = match(text, at: position, parseSpecial: parseSpecial) else {
        position += 1
        continue
      }
      var left = position
      var right = position + found.bytes.count
      position = right
      let token = found.token
      if token.singleWord, isWordCharacter(before: left, in: text) || isWord(at: right, in: text) {
        continue
      }
      if token.stripsLeft { left = spaces(before: left, downTo: start, in: text) }
      if token.stripsRight { right = spaces(from: right, in: text) }
      if start < left { parts.append(.text(start..<left)) }
      parts.append(.token(token.id))
      (start, position) = (right, right)
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  private func match(
    _ text: UnsafeBufferPointer<UInt8>, at position: Int, parseSpecial: Bool
  ) -> Pattern? {
    byFirstByte[Int(text[position])].first { pattern in
      (parseSpecial || !pattern.token.special) && pattern.bytes.count <= text.count - position
        && pattern.bytes.indices.allSatisfy { text[position + $0] == pattern.bytes[$0] }
    }
  }

  private func spaces(
    before end: Int, downTo start: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var index = end
    while index > start {
      let previous = UTF8Scalars.start(in: text, before: index)
      guard CharacterClass(UTF8Scalars.scalar(in: text, at: previous).value) == .space else {
        break
      }
      index = previous
    }
    return index
  }

  private func spaces(from start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
    WordScanner(text: text, end: text.count).run(of: .space, from: start)
  }

  private func isWordCharacter(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
    end > 0 && isWord(at: UTF8Scalars.start(in: text, before: end), in: text)
  }

  /// `\w` of Unicode Technical Standard 18, Annex C.
  private func isWord(at index: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard index < text.count,
      let properties = Unicode.Scalar(UTF8Scalars.scalar(in: text, at: index).value)?.properties
    else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
      return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}
