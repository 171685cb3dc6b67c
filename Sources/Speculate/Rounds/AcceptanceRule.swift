public import Files
public import Verifier

/// How a verified block becomes committed tokens (ALGORITHMS.md section 2).
public enum AcceptanceRule {
  /// Greedy and sample-match verification of a tree: from the root on, the child that is the target's
  /// own choice, as long as there is one, and the choice after the last (the "bonus").
  ///
  /// The choice of row `i` is `argmax_v logits_i(v)` at temperature 0 (greedy) and
  /// `argmax_v (log p_i(v) + g(seed, position, v))` above (sample-match). The target alone makes
  /// it, so the output is bit-identical to plain decoding for any drafts. Rows off the path saw a
  /// token that is not in the text and are never asked for; their noise is that of their positions,
  /// so that a path is chosen exactly as plain decoding would.
  ///
  /// - Parameters:
  ///   - tree: the anchor and the drafts behind it.
  ///   - choice: the target's own token of a row, asked along the path, once each.
  ///   - emit: takes the tokens in order; returns `false` to end there (an end token).
  /// - Returns: the rows whose choices were emitted, one for each emitted token, and how many of
  ///   these tokens were drafts.
  public static func path(
    in tree: TokenTree, choice: (Int) -> Token, emit: (Token) -> Bool
  ) -> (rows: [Int], accepted: Int) {
    var rows: [Int] = []
    let accepted = path(in: tree, into: &rows, choice: choice, emit: emit)
    return (rows, accepted)
  }

  /// The same, with the rows in an array that is used again.
  static func path(
    in tree: TokenTree, into rows: inout [Int], choice: (Int) -> Token, emit: (Token) -> Bool
  ) -> Int {
    rows.removeAll(keepingCapacity: true)
    rows.append(0)
    while true {
      let row = rows[rows.count - 1]
      let own = choice(row)
      let next = tree.child(of: row, token: own)
      let goesOn = emit(own)
      guard let next else { return rows.count - 1 }
      guard goesOn else { return rows.count }
      rows.append(next)
    }
  }
}
