import Files
import Speculate

extension LoopDetector {
  /// How many tokens to keep of an output that ends in a loop: all up to the end of the loop's
  /// second period. Nil when it doesn't end in one.
  ///
  /// A drafter should see how a loop begins, but not one loop a hundred times.
  func lengthUpToSecondPeriod(_ tokens: some RandomAccessCollection<Token>) -> Int? {
    guard endsInLoop(tokens) else { return nil }
    let tokens = Array(tokens)
    for period in 1...Self.longestPeriod {
      var start = tokens.count - period  // of the stretch that repeats at the end
      while start > 0, tokens[start - 1] == tokens[start - 1 + period] { start -= 1 }
      if tokens.count - start >= Self.minimumLength { return min(tokens.count, start + 2 * period) }
    }
    return nil
  }
}
