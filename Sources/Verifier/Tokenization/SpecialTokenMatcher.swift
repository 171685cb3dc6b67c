import Tensors

/// Finds the spellings of given tokens in a text: the leftmost, and of those the longest.
struct SpecialTokenMatcher: Sendable {
  /// A part of a text: either a token found in it or what lies between two of them.
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Token, Range<Int>)
  }

  private struct Spelling: Sendable {
    let bytes: [UInt8]
    let id: Token
  }

  /// Spellings by their first byte, longest first.
  private var byFirstByte: [[Spelling]] = Array(repeating: [], count: 256)
  private(set) var isEmpty = true

  /// Makes a matcher for tokens and their spellings; empty spellings are ignored.
  init(_ tokens: [(spelling: String, id: Token)]) {
    for (spelling, id) in tokens {
      let bytes = Array(spelling.utf8)
      guard let first = bytes.first else { continue }
      byFirstByte[Int(first)].append(Spelling(bytes: bytes, id: id))
      isEmpty = false
    }
    for first in byFirstByte.indices {
      byFirstByte[first].sort { $0.bytes.count > $1.bytes.count }
    }
  }

  /// Cuts a text, given as UTF-8, into tokens and non-empty stretches between them.
  func split(_ text: UnsafeBufferPointer<UInt8>) -> [Part] {
    var parts: [Part] = []
    var start = 0
    var position = 0
    while position < text.count {
      guard let found = match(text, at: position) else {
        position += 1
        continue
      }
      if start < position { parts.append(.text(start..<position)) }
      let end = position + found.bytes.count
      parts.append(.token(found.id, position..<end))
      (start, position) = (end, end)
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  private func match(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Spelling? {
    byFirstByte[Int(text[position])].first { spelling in
      spelling.bytes.count <= text.count - position
        && spelling.bytes.indices.allSatisfy { text[position + $0] == spelling.bytes[$0] }
    }
  }
}
