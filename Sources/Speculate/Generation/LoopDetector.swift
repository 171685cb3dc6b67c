package import Files

/// Whether an output repeats itself. Loops flatter acceptance figures, because any drafter guesses
/// them, so outputs with one are counted apart (`loop_share`).
///
/// Definition: a *loop* of `period` p is a stretch of at least ``minimumLength`` tokens in which
/// every token equals the one p places before it, counting the first p tokens of the stretch, for
/// some p in `1...longestPeriod`. So 40 equal tokens are a loop, four times the same 10 tokens
/// are, and so is the same run of 20 tokens twice in a row (the "20-token loop").
package struct LoopDetector: Sendable, Equatable {
  /// The longest period that counts as a loop.
  package var longestPeriod: Int
  /// The fewest tokens of a looping stretch.
  package var minimumLength: Int

  /// Makes a detector.
  ///
  /// - Parameters:
  ///   - longestPeriod: at least 1.
  ///   - minimumLength: at least twice the longest period, so that a whole period repeats.
  package init(longestPeriod: Int = 20, minimumLength: Int = 40) {
    precondition(longestPeriod >= 1 && minimumLength >= 2 * longestPeriod)
    self.longestPeriod = longestPeriod
    self.minimumLength = minimumLength
  }

  /// Whether the output ends in a loop: its last ``minimumLength`` tokens are one.
  ///
  /// A closing end token means that the model left the loop, so it is part of what is looked at.
  package func endsInLoop(_ tokens: some RandomAccessCollection<Token>) -> Bool {
    let tokens = Array(tokens.suffix(minimumLength))
    guard tokens.count == minimumLength else { return false }
    return (1...longestPeriod).contains { period in
      (period..<tokens.count).allSatisfy { tokens[$0] == tokens[$0 - period] }
    }
  }

  /// Whether a loop stands anywhere in the output.
  package func containsLoop(_ tokens: some RandomAccessCollection<Token>) -> Bool {
    let tokens = Array(tokens)
    guard tokens.count >= minimumLength else { return false }
    return (1...longestPeriod).contains { period in
      var run = period
      for index in period..<tokens.count {
        run = tokens[index] == tokens[index - period] ? run + 1 : period
        if run >= minimumLength { return true }
      }
      return false
    }
  }
}
