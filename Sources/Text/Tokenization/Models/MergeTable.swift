package import Files

/// The merges of a byte-pair encoding: which two tokens become which one, and how early.
package struct MergeTable: Sendable {
  /// A merge: among all that apply to a word, the one of lowest rank is done first.
  package struct Merge: Equatable, Sendable {
    package var rank: UInt32
    package var token: Token

    package init(rank: UInt32, token: Token) {
      self.rank = rank
      self.token = token
    }
  }

  private static let empty = UInt64.max
  /// [power of two] left token in the high half and right token in the low one, or `empty`.
  private var pairs: [UInt64]
  /// [as `pairs`] the merge of the pair in the same slot.
  private var merges: [Merge]
  private(set) var count = 0

  /// Makes an empty table with room for `capacity` merges.
  package init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    pairs = Array(repeating: Self.empty, count: size)
    merges = Array(repeating: Merge(rank: 0, token: 0), count: size)
  }

  /// The merge of two neighbours; setting one that is there replaces it.
  ///
  /// Token numbers must not be negative, and no more merges may be set than the table has room for.
  package subscript(left: Token, right: Token) -> Merge? {
    get {
      let slot = slot(of: Self.key(left, right))
      return pairs[slot] == Self.empty ? nil : merges[slot]
    }
    set {
      guard let newValue else { return }
      let key = Self.key(left, right)
      let slot = slot(of: key)
      if pairs[slot] == Self.empty {
        precondition(2 * count < pairs.count, "more merges than the table was made for")
        count += 1
      }
      pairs[slot] = key
      merges[slot] = newValue
    }
  }

  /// All merges, those that are done first before others.
  var ranked: [(left: Token, right: Token, merge: Merge)] {
    pairs.indices.filter { pairs[$0] != Self.empty }.map { slot in
      (
        Token(truncatingIfNeeded: pairs[slot] >> 32), Token(truncatingIfNeeded: pairs[slot]),
        merges[slot]
      )
    }.sorted { $0.merge.rank < $1.merge.rank }
  }

  private static func key(_ left: Token, _ right: Token) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private func slot(of key: UInt64) -> Int {
    let mask = pairs.count - 1
    var slot = Int(truncatingIfNeeded: (key &* SplitMix.step) >> 32) & mask
    while pairs[slot] != key, pairs[slot] != Self.empty { slot = (slot + 1) & mask }
    return slot
  }
}
