import Files
import Text

/// The tokens that may come next in an output that is held to a grammar.
package struct ConstraintMask {
  private let tokens: TokenMask
  private let endTokens: [Token]
  /// Whether the output may end here.
  private let mayEnd: Bool

  init(tokens: TokenMask, endTokens: [Token], mayEnd: Bool) {
    self.tokens = tokens
    self.endTokens = endTokens
    self.mayEnd = mayEnd
  }

  /// Whether a token may come.
  package func allows(_ token: Int32) -> Bool {
    endTokens.contains(token) ? mayEnd : tokens.contains(token)
  }

  /// Whether none may: the vocabulary can't spell what the grammar wants.
  package var isEmpty: Bool {
    // An end token is none of the text's, whatever its bytes are.
    !mayEnd && tokens.count == Set(endTokens).count { tokens.contains($0) }
  }

  /// Sets the logits of all other tokens to −infinity.
  ///
  /// - Parameters:
  ///   - row: logits: [count].
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  /// - Returns: whether a column is left. If not, the row is as it was.
  package func apply(
    to row: UnsafeMutablePointer<Float>, count: Int, map: VocabularyMap?
  ) -> Bool {
    if let map {
      guard map.tokens.prefix(count).contains(where: allows) else { return false }
      for column in 0..<min(count, map.tokens.count) where !allows(map.tokens[column]) {
        row[column] = -.infinity
      }
      return true
    }
    guard !isEmpty else { return false }
    let ends = endTokens.filter { $0 >= 0 && Int($0) < count }
    let kept = ends.map { row[Int($0)] }
    tokens.apply(to: row, count: count)
    for (end, logit) in zip(ends, kept) { row[Int(end)] = mayEnd ? logit : -.infinity }
    return true
  }
}
