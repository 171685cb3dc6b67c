package import Files

/// Counts what a target's answers have behind runs of a few tokens, and makes an ``AnswerTable`` of it.
package struct AnswerCounter {
  /// An answer behind its prompt.
  private struct Text {
    var tokens: [Token]
    var promptLength: Int
  }

  /// Where a run ends: before a token of a text.
  private struct Place {
    var key: UInt64
    var text: Int32
    var next: Int32
  }

  private let vocabularySize: Int
  private let tokenizer: UInt64?
  private var texts: [Text] = []

  /// - Parameters:
  ///   - vocabularySize: the target's.
  ///   - tokenizer: the fingerprint of its tokenizer, if that is known.
  package init(vocabularySize: Int, tokenizer: UInt64? = nil) {
    self.vocabularySize = vocabularySize
    self.tokenizer = tokenizer
  }

  /// Adds an answer.
  ///
  /// - Parameters:
  ///   - tokens: prompt and answer, all in the vocabulary.
  ///   - promptLength: how many are the prompt's. The tokens behind are what is counted; runs may begin in it.
  package mutating func add(_ tokens: [Token], promptLength: Int) {
    texts.append(Text(tokens: tokens, promptLength: promptLength))
  }

  /// Makes a table of the runs that came at least twice, and say something else than the longest of their shorter
  /// ends that is kept, or are surer of it.
  ///
  /// Behind a run stand also the likeliest tokens of its shorter ends, where there is room. The table is a
  /// function of the answers, in whatever order they were added.
  /// - Complexity: O(n log n) time, O(n) memory for n tokens.
  package func table() -> AnswerTable {
    var kept: [UInt64: AnswerTable.Entry] = [:]
    for length in 1...AnswerTable.longest {
      let places = places(ofRuns: length)
      var first = 0
      while first < places.count {
        let end = places[first...].firstIndex { $0.key != places[first].key } ?? places.count
        if end - first > 1, let entry = entry(of: places[first..<end], length: length, kept) {
          kept[places[first].key] = entry
        }
        first = end
      }
    }
    return AnswerTable(kept, vocabularySize: vocabularySize, tokenizer: tokenizer)
  }

  /// Where the runs of a length end, by their keys.
  private func places(ofRuns length: Int) -> [Place] {
    var places: [Place] = []
    for (index, text) in texts.enumerated() {
      let tokens = text.tokens
      for next in Swift.max(
        text.promptLength, length)..<Swift.max(tokens.count, length, text.promptLength)
      {
        let key = AnswerTable.key(length: length) { tokens[next - 1 - $0] }
        places.append(Place(key: key, text: Int32(index), next: Int32(next)))
      }
    }
    places.sort { $0.key < $1.key }
    return places
  }

  /// What is kept of a run, given all places where it ends; nil for nothing.
  private func entry(
    of places: ArraySlice<Place>, length: Int, _ kept: [UInt64: AnswerTable.Entry]
  ) -> AnswerTable.Entry? {
    var counts: [Token: Int] = [:]
    for place in places { counts[texts[Int(place.text)].tokens[Int(place.next)], default: 0] += 1 }
    // Of equals the lower token.
    let ranked = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    guard let best = ranked.first, let place = places.first else { return nil }
    var entry = AnswerTable.Entry(
      tokens: ranked.prefix(AnswerTable.width).map(\.key),
      shares: ranked.prefix(AnswerTable.width).map { share($0.value, of: places.count) })
    let text = texts[Int(place.text)].tokens
    let shorter = (1..<length).reversed().lazy.compactMap { shorter in
      kept[AnswerTable.key(length: shorter) { text[Int(place.next) - 1 - $0] }]
    }.first
    if let shorter {
      guard
        shorter.tokens[0] != best.key || Int(entry.shares[0]) > Int(shorter.shares[0]) + Self.surer
      else {
        return nil
      }
      for (token, share) in zip(shorter.tokens, shorter.shares)
      where entry.tokens.count < AnswerTable.width && !entry.tokens.contains(token) {
        entry.tokens.append(token)
        entry.shares.append(max(1, min(share, entry.shares[0]) / 2))
      }
    }
    return entry
  }

  /// By how much a longer run must be surer of the same token to be kept, of 255.
  private static let surer = 51

  /// A share of 255, a little less for what was seldom seen.
  private func share(_ count: Int, of all: Int) -> UInt8 {
    UInt8(max(1, 255 * count / (all + 1)))
  }
}
