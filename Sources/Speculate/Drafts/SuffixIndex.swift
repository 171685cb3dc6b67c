package import Files

/// Finds where the end of a text stood before, and so how it may go on (docs/algorithms.md 6).
///
/// Runs of three tokens are hashed to the place where they ended last, and every place points to
/// the one before it with the same hash, as LZ77 compressors do. A lookup walks that chain, a
/// bounded number of steps, and measures how far back each place agrees with the text's end. A
/// suffix automaton would find the longest match without a bound on steps, but not the most recent
/// one, and the most recent is the likelier to be repeated.
package struct SuffixIndex {
  /// A place where the text's end stood before.
  package struct Match: Equatable {
    /// Tokens that agree, at most ``SuffixIndex/longest``.
    package var length: Int
    /// The index of the token that followed.
    package var next: Int
  }

  /// The fewest tokens that count as a match.
  package static let shortest = 3
  /// Agreement beyond this many tokens makes no difference.
  package static let longest = 32
  /// Places looked at in one lookup.
  private static let steps = 48
  private static let buckets = 1 << 13

  package private(set) var text: [Token] = []
  /// The index of the last token of the latest run with a hash, −1 for none: [buckets].
  private var latest = [Int32](repeating: -1, count: buckets)
  /// The place before with the same hash, for the run that ends at an index: [text.count].
  private var earlier: [Int32] = []

  package init(capacity: Int = 0) {
    text.reserveCapacity(capacity)
    earlier.reserveCapacity(capacity)
  }

  /// Adds tokens to the text.
  ///
  /// - Complexity: O(1) a token.
  package mutating func append(_ tokens: some Sequence<Token>) {
    for token in tokens {
      if !text.isEmpty { hashLastRun() }
      text.append(token)
    }
  }

  private mutating func hashLastRun() {
    let end = text.count - 1
    guard end >= Self.shortest - 1 else {
      earlier.append(-1)
      return
    }
    let bucket = Self.bucket { text[end - $0] }
    earlier.append(latest[bucket])
    latest[bucket] = Int32(end)
  }

  /// The longest earlier occurrences of the text's end, the latest of equals first, each with
  /// another next token.
  ///
  /// - Parameters:
  ///   - count: the most matches.
  ///   - ahead: tokens that are taken for the text's end, behind the text.
  ///   - found: is replaced by them, in the memory that it has.
  package func findMatches(_ count: Int, ahead: [Token] = [], into found: inout [Match]) {
    found.removeAll(keepingCapacity: true)
    guard text.count + ahead.count > Self.shortest, count > 0 else { return }
    var place = Int(latest[Self.bucket { token(beforeEnd: $0, ahead) }])
    for _ in 0..<Self.steps where place >= 0 && place < text.count - 1 {
      let match = Match(length: agreement(place, ahead), next: place + 1)
      place = Int(earlier[place])
      guard match.length >= Self.shortest else { continue }
      if let same = found.firstIndex(where: { text[$0.next] == text[match.next] }) {
        if found[same].length >= match.length { continue }
        found.remove(at: same)
      }
      let rank = found.firstIndex { $0.length < match.length } ?? found.count
      found.insert(match, at: rank)
      if found.count > count { found.removeLast() }
    }
  }

  /// What followed a match. Where the text ends, what was read goes on: a text of period p is
  /// continued with period p.
  ///
  /// - Parameter tokens: empty; takes them, in the memory that it has.
  package func continuation(of match: Match, count: Int, into tokens: inout [Token]) {
    tokens.reserveCapacity(count)
    for index in match.next..<match.next + count {
      tokens.append(index < text.count ? text[index] : tokens[index - text.count])
    }
  }

  /// How many tokens up to a place of the text agree with the last of the text with `ahead` behind it.
  private func agreement(_ place: Int, _ ahead: [Token]) -> Int {
    let most = min(Self.longest, place + 1, text.count + ahead.count)
    var length = 0
    while length < most, text[place - length] == token(beforeEnd: length, ahead) { length += 1 }
    return length
  }

  /// The token `distance` before the last one of the text with `ahead` behind it.
  private func token(beforeEnd distance: Int, _ ahead: [Token]) -> Token {
    distance < ahead.count
      ? ahead[ahead.count - 1 - distance] : text[text.count - 1 - (distance - ahead.count)]
  }

  /// The hash of a run, whose tokens are asked for by their distance from its last.
  private static func bucket(_ token: (_ distance: Int) -> Token) -> Int {
    var hash: UInt32 = 0
    for distance in 0..<shortest {
      hash = (hash ^ UInt32(bitPattern: token(distance))) &* 0x9E37_79B1
      hash ^= hash >> 15
    }
    return Int(hash) & (buckets - 1)
  }
}
