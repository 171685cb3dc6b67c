package import Files

/// Whether an output repeats itself. Loops flatter acceptance figures, because any drafter guesses
/// them, so outputs with one are counted apart (`loop_share`).
///
/// Definition: a *loop* of `period` p is a stretch of at least 40 tokens in which
/// every token equals the one p places before it, counting the first p tokens of the stretch, for
/// some p in `1...20`. So 40 equal tokens are a loop, four times the same 10 tokens
/// are, and so is the same run of 20 tokens twice in a row (the "20-token loop").
package struct LoopDetector: Sendable, Equatable {
  /// The longest period that counts as a loop.
  package static let longestPeriod = 20
  /// The fewest tokens of a looping stretch: twice the longest period, so that a whole one repeats.
  package static let minimumLength = 40

  package init() {}

  /// Whether the output ends in a loop: its last 40 tokens are one.
  ///
  /// A closing end token means that the model left the loop, so it is part of what is looked at.
  package func endsInLoop(_ tokens: some RandomAccessCollection<Token>) -> Bool {
    let tokens = Array(tokens.suffix(Self.minimumLength))
    guard tokens.count == Self.minimumLength else { return false }
    return (1...Self.longestPeriod).contains { period in
      (period..<tokens.count).allSatisfy { tokens[$0] == tokens[$0 - period] }
    }
  }
}
