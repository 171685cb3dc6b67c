public import Files

/// Which tokens a text holds, kept as a stack, so that drafts can be tried and taken back.
///
/// The repetition penalty of a row looks at every token at and before the row. Verification walks
/// the rows of a block in order and pushes each token it commits; drafting pushes each draft and
/// pops them all when the block is complete. Both sides of one sequence share one value.
public final class TokenPresence {
  /// Occurrences of every token: [vocabulary].
  private var occurrences: [Int32]
  /// The distinct tokens, by first appearance. Pops are last-in first-out, so a token that
  /// disappears is always the last one.
  public private(set) var distinct: [Token] = []

  /// An empty text over a vocabulary.
  public init(vocabulary: Int) {
    occurrences = [Int32](repeating: 0, count: vocabulary)
    distinct.reserveCapacity(vocabulary)
  }

  /// Appends a token. One outside the vocabulary has no logit to penalise and is ignored.
  public func push(_ token: Token) {
    guard occurrences.indices.contains(Int(token)) else { return }
    if occurrences[Int(token)] == 0 { distinct.append(token) }
    occurrences[Int(token)] += 1
  }

  /// Takes back the last appended token, which must be `token`.
  public func pop(_ token: Token) {
    guard occurrences.indices.contains(Int(token)) else { return }
    precondition(occurrences[Int(token)] > 0, "popped a token that was not pushed")
    occurrences[Int(token)] -= 1
    if occurrences[Int(token)] == 0 {
      precondition(distinct.last == token, "popped tokens out of order")
      distinct.removeLast()
    }
  }

  /// Whether the text holds a token.
  public func contains(_ token: Token) -> Bool {
    occurrences.indices.contains(Int(token)) && occurrences[Int(token)] > 0
  }
}
