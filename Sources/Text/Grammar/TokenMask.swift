/// Which tokens of a vocabulary may come next, as a grammar's text goes on.
package struct TokenMask: Sendable, Equatable {
  /// A bit for each token: [vocabulary / 64], rounded up.
  package internal(set) var words: [UInt64]
  /// How many tokens may come.
  package internal(set) var count = 0
  /// One of them; the only one if ``count`` is 1.
  package internal(set) var first: Int32 = -1

  init(vocabulary: Int) { words = [UInt64](repeating: 0, count: (vocabulary + 63) / 64) }

  package func contains(_ token: Int32) -> Bool {
    let index = Int(token)
    return index >= 0 && index >> 6 < words.count
      && words[index >> 6] >> UInt64(index & 63) & 1 != 0
  }

  mutating func insert(_ token: Int32) {
    words[Int(token) >> 6] |= 1 << UInt64(Int(token) & 63)
    if count == 0 { first = token }
    count += 1
  }

  /// Sets the logits of all others to −infinity.
  ///
  /// - Parameters:
  ///   - row: logits: [count]; column and token are the same number.
  package func apply(to row: UnsafeMutablePointer<Float>, count: Int) {
    var column = 0
    for word in words {
      let end = min(column + 64, count)
      guard column < end else { return }
      if word == 0 {
        for place in column..<end { row[place] = -.infinity }
      } else if word != .max {
        for place in column..<end where word >> UInt64(place - column) & 1 == 0 {
          row[place] = -.infinity
        }
      }
      column = end
    }
    while column < count {
      row[column] = -.infinity
      column += 1
    }
  }
}
