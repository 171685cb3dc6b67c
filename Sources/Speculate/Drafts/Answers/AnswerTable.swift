package import Files

/// What a target mostly wrote behind a few tokens, counted in its own answers: a drafter without a network.
///
/// Retrieval-based drafting (REST, arXiv 2311.08252) keeps the texts themselves; here are only those runs of 1 to
/// ``longest`` tokens that say more than their shorter ends, each with the tokens that came most often behind it.
/// Immutable and shared between sequences.
package final class AnswerTable: Sendable {
  /// What came behind a run.
  package struct Entry: Sendable, Equatable {
    /// The most frequent tokens, the first one most often; one to ``AnswerTable/width``.
    package var tokens: [Token]
    /// How often each came, of 255.
    package var shares: [UInt8]
  }

  /// Tokens of the longest run.
  package static let longest = 5
  /// The most tokens that are kept behind a run.
  package static let width = 3

  /// The folder that it was read from; nil for one that was just made.
  package let path: String?
  package let vocabularySize: Int
  /// The ``Tokenizer/fingerprint`` of the target's tokenizer; nil where the table doesn't say.
  package let tokenizer: UInt64?
  /// Runs in the order of their keys: [count].
  let keys: [UInt64]
  let tokens: [Token]  // [count][width], −1 for none
  let shares: [UInt8]  // [count][width], 0 for none
  /// The first key of each of 2^16 ranges that keys fall into by their first bits, and the end of all.
  private let starts: [Int32]

  /// - Parameters: of ascending keys, which differ; tokens of the vocabulary or −1.
  init(
    keys: [UInt64], tokens: [Token], shares: [UInt8], vocabularySize: Int, tokenizer: UInt64?,
    path: String? = nil
  ) {
    precondition(
      tokens.count == keys.count * Self.width && shares.count == tokens.count,
      "an entry for each key")
    self.keys = keys
    self.tokens = tokens
    self.shares = shares
    self.vocabularySize = vocabularySize
    self.tokenizer = tokenizer
    self.path = path
    var starts = [Int32](repeating: 0, count: 1 << 16 + 1)
    for key in keys { starts[Int(key >> 48) + 1] += 1 }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    self.starts = starts
  }

  convenience init(_ entries: [UInt64: Entry], vocabularySize: Int, tokenizer: UInt64?) {
    let ordered = entries.sorted { $0.key < $1.key }
    func padded<Value>(_ values: [Value], _ none: Value) -> [Value] {
      values + [Value](repeating: none, count: Self.width - values.count)
    }
    self.init(
      keys: ordered.map(\.key), tokens: ordered.flatMap { padded($0.value.tokens, -1) },
      shares: ordered.flatMap { padded($0.value.shares, 0) }, vocabularySize: vocabularySize,
      tokenizer: tokenizer)
  }

  package var count: Int { keys.count }

  /// What came behind a run of `length` tokens, which are asked for by their distance from its last; nil if
  /// nothing is known.
  package func entry(length: Int, _ token: (_ distance: Int) -> Token) -> Entry? {
    find(Self.key(length: length, token)).map { index in
      let range = index * Self.width..<(index + 1) * Self.width
      let count = tokens[range].prefix { $0 >= 0 }.count
      return Entry(
        tokens: Array(tokens[range].prefix(count)), shares: Array(shares[range].prefix(count)))
    }
  }

  /// The number of the longest run in the table that a text ends with, whose tokens are asked for by their distance
  /// from its last; nil for none.
  ///
  /// - Parameter available: how many tokens the text has.
  func longestRun(available: Int, _ token: (_ distance: Int) -> Token) -> Int? {
    for length in (1...Self.longest).reversed() where length <= available {
      if let index = find(Self.key(length: length, token)) { return index }
    }
    return nil
  }

  /// Gives the tokens that came behind a run, by its number, and how often each did: the most frequent first.
  func forEach(behind run: Int, _ body: (_ token: Token, _ share: Float) -> Void) {
    for place in run * Self.width..<(run + 1) * Self.width where tokens[place] >= 0 {
      body(tokens[place], Float(shares[place]) / 255)
    }
  }

  private func find(_ key: UInt64) -> Int? {
    let range = Int(key >> 48)
    let end = Int(starts[range + 1])
    var (low, high) = (Int(starts[range]), end)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low < end && keys[low] == key ? low : nil
  }

  /// The key of a run, whose tokens are asked for by their distance from its last.
  static func key(length: Int, _ token: (_ distance: Int) -> Token) -> UInt64 {
    var hash = UInt64(length)
    for distance in 0..<length {
      hash = (hash ^ UInt64(UInt32(bitPattern: token(distance)))) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
    }
    return hash &* 0xBF58_476D_1CE4_E5B9
  }
}
