public import Files

/// How a verified block becomes committed tokens (ALGORITHMS.md section 2).
public enum AcceptanceRule {
  /// Greedy and sample-match verification: the longest prefix of the drafts that agrees with the
  /// target's own choices, and one token more, the choice at the first mismatch or the "bonus"
  /// after the last draft.
  ///
  /// The choice of row `i` is `argmax_v logits_i(v)` at temperature 0 (greedy) and
  /// `argmax_v (log p_i(v) + g(seed, position, v))` above (sample-match). The target alone makes
  /// it, so the output is bit-identical to plain decoding for any draft source and any length.
  ///
  /// Rows behind the first mismatch saw a token that is not in the text; their choices are never
  /// asked for.
  ///
  /// - Parameters:
  ///   - drafts: the proposed tokens, `k` of them.
  ///   - choice: the target's own token of row `0...k`, asked in order, once each. Row 0 is the
  ///     anchor's, row `i` is the row of `drafts[i − 1]`.
  ///   - emit: takes the tokens in order; returns `false` to end the block there (an end token).
  /// - Returns: the number of drafts that agreed and were emitted, and of all emitted tokens.
  public static func agreement(
    _ drafts: some RandomAccessCollection<Token>, choice: (Int) -> Token, emit: (Token) -> Bool
  ) -> (accepted: Int, emitted: Int) {
    var accepted = 0
    for draft in drafts {
      let own = choice(accepted)
      let agrees = draft == own
      guard emit(own), agrees else { return (accepted + (agrees ? 1 : 0), accepted + 1) }
      accepted += 1
    }
    _ = emit(choice(accepted))
    return (accepted, accepted + 1)
  }
}
