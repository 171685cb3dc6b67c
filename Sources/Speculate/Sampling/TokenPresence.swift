package import Files

/// Which tokens a text holds.
///
/// The repetition penalty of a row looks at every token at and before the row. Verification walks
/// the rows of a block in order and adds each token it commits; a drafter looks at the same text and
/// keeps its own drafts apart.
package final class TokenPresence {
  /// Whether the text holds a token: [vocabulary].
  private var isPresent: [Bool]
  /// The distinct tokens, by first appearance.
  package private(set) var distinct: [Token] = []

  package init(vocabulary: Int) {
    isPresent = [Bool](repeating: false, count: vocabulary)
    distinct.reserveCapacity(vocabulary)
  }

  /// Appends a token. One outside the vocabulary has no logit to penalise and is ignored.
  package func insert(_ token: Token) {
    guard isPresent.indices.contains(Int(token)), !isPresent[Int(token)] else { return }
    isPresent[Int(token)] = true
    distinct.append(token)
  }

  package func contains(_ token: Token) -> Bool {
    isPresent.indices.contains(Int(token)) && isPresent[Int(token)]
  }
}
