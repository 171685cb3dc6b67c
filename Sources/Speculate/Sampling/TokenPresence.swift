package import Files

/// Which tokens a text holds, and how often its output does.
///
/// The repetition penalty of a row looks at every token at and before the row, presence and frequency penalties
/// at those of the output. Verification walks the rows of a block in order and adds each token it commits; a
/// drafter looks at the same text and keeps its own drafts apart.
package final class TokenPresence {
  /// Whether the text holds a token: [vocabulary].
  private var isPresent: [Bool]
  /// How often the output holds a token: [vocabulary], or empty where nobody asks.
  private var counts: [Int32]
  /// The distinct tokens, by first appearance.
  package private(set) var distinct: [Token] = []
  /// Those of the output, likewise; empty where nobody asks.
  private(set) var written: [Token] = []

  /// A text without tokens.
  ///
  /// - Parameter counts: whether those of the output are counted.
  package init(vocabulary: Int, counts: Bool = false) {
    isPresent = [Bool](repeating: false, count: vocabulary)
    self.counts = counts ? [Int32](repeating: 0, count: vocabulary) : []
    distinct.reserveCapacity(vocabulary)
    if counts { written.reserveCapacity(vocabulary) }
  }

  /// Appends a token. One outside the vocabulary has no logit to penalise and is ignored.
  package func insert(_ token: Token, isOutput: Bool = false) {
    let index = Int(token)
    guard isPresent.indices.contains(index) else { return }
    if isOutput, !counts.isEmpty {
      if counts[index] == 0 { written.append(token) }
      counts[index] += 1
    }
    guard !isPresent[index] else { return }
    isPresent[index] = true
    distinct.append(token)
  }

  package func contains(_ token: Token) -> Bool {
    isPresent.indices.contains(Int(token)) && isPresent[Int(token)]
  }

  /// How often the output holds a token of ``written``.
  func count(of token: Token) -> Int { Int(counts[Int(token)]) }
}
