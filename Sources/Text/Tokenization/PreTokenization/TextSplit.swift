/// A cut wherever something occurs in a text, as `Split` of huggingface/tokenizers does it.
package struct TextSplit: Sendable {
  /// What is looked for.
  package enum Finder: Sendable {
    case pattern(RegularExpression)
    /// A string that is not empty.
    case string([UInt8])
    case character(CharacterSet)
  }

  /// A set of characters, each of which is a match of its own.
  package enum CharacterSet: Sendable {
    case space
    case punctuation

    func contains(_ value: UInt32) -> Bool {
      switch self {
      case .space: CharacterClass(value) == .space
      case .punctuation: CharacterClass.isPunctuation(value)
      }
    }
  }

  /// What becomes of matches.
  package enum Behavior: String, Sendable {
    case removed = "Removed"
    /// Words of their own.
    case isolated = "Isolated"
    /// The end of the word before.
    case mergedWithPrevious = "MergedWithPrevious"
    /// The beginning of the word behind.
    case mergedWithNext = "MergedWithNext"
    /// Neighbouring matches are one word.
    case contiguous = "Contiguous"
  }

  let finder: Finder
  let behavior: Behavior
  /// Whether what lies between the matches counts as matches.
  let isInverted: Bool

  package init(_ finder: Finder, _ behavior: Behavior, isInverted: Bool = false) {
    self.finder = finder
    self.behavior = behavior
    self.isInverted = isInverted
  }

  private typealias Piece = (range: Range<Int>, isMatch: Bool)

  /// Cuts words of a text further.
  func words(
    of text: UnsafeBufferPointer<UInt8>, _ words: [Range<Int>]
  ) throws -> [Range<Int>] {
    var result: [Range<Int>] = []
    result.reserveCapacity(words.count)
    var pieces: [Piece] = []
    for word in words {
      pieces.removeAll(keepingCapacity: true)
      var end = word.lowerBound
      try forEachMatch(in: .init(rebasing: text[word])) { match in
        let match = match.lowerBound + word.lowerBound..<match.upperBound + word.lowerBound
        if end != match.lowerBound { pieces.append((end..<match.lowerBound, isInverted)) }
        pieces.append((match, !isInverted))
        end = match.upperBound
      }
      if end != word.upperBound { pieces.append((end..<word.upperBound, isInverted)) }
      append(pieces, to: &result)
    }
    return result
  }

  private func append(_ pieces: [Piece], to words: inout [Range<Int>]) {
    let first = words.count
    var lastWasMatch = false
    switch behavior {
    case .isolated: for piece in pieces { words.append(piece.range) }
    case .removed: for piece in pieces where !piece.isMatch { words.append(piece.range) }
    case .contiguous:
      for (range, isMatch) in pieces {
        if isMatch == lastWasMatch, words.count > first {
          words[words.count - 1] = words[words.count - 1].lowerBound..<range.upperBound
        } else {
          words.append(range)
        }
        lastWasMatch = isMatch
      }
    case .mergedWithPrevious:
      for (range, isMatch) in pieces {
        if isMatch, !lastWasMatch, words.count > first {
          words[words.count - 1] = words[words.count - 1].lowerBound..<range.upperBound
        } else {
          words.append(range)
        }
        lastWasMatch = isMatch
      }
    case .mergedWithNext:
      for (range, isMatch) in pieces.reversed() {
        if isMatch, !lastWasMatch, words.count > first {
          words[words.count - 1] = range.lowerBound..<words[words.count - 1].upperBound
        } else {
          words.append(range)
        }
        lastWasMatch = isMatch
      }
      words[first...].reverse()
    }
    // A pattern may match nothing at all, which is no word.
    if words[first...].contains(where: \.isEmpty) {
      let kept = words[first...].filter { !$0.isEmpty }
      words.replaceSubrange(first..., with: kept)
    }
  }

  private func forEachMatch(
    in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void
  ) throws {
    switch finder {
    case .pattern(let expression): try expression.forEachMatch(in: text, body)
    case .string(let string):
      var index = 0
      while index < text.count {
        if text[index] == string[0], text[index...].starts(with: string) {
          body(index..<index + string.count)
          index += string.count
        } else {
          index += 1
        }
      }
    case .character(let set):
      var index = 0
      while index < text.count {
        let (value, length) = UTF8Scalars.scalar(in: text, at: index)
        if set.contains(value) { body(index..<index + length) }
        index += length
      }
    }
  }
}
