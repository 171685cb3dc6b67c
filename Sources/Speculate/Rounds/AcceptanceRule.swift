package import Files
package import Verifier

/// How a verified block becomes committed tokens (docs/algorithms.md 2).
package enum AcceptanceRule {
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
  ///   - rows: is replaced by the rows whose choices were emitted, one for each emitted token.
  ///   - choice: the target's own token of a row, asked along the path, once each; `nil` ends there.
  ///   - emit: takes the tokens in order; returns `false` to end there (an end token).
  /// - Returns: how many of the emitted tokens were drafts.
  package static func path(
    in tree: TokenTree, into rows: inout [Int], choice: (Int) -> Token?, emit: (Token) -> Bool
  ) -> Int {
    rows.removeAll(keepingCapacity: true)
    var row = 0
    while let own = choice(row) {
      rows.append(row)
      let next = tree.child(of: row, token: own)
      let goesOn = emit(own)
      guard let next else { return rows.count - 1 }
      guard goesOn else { break }
      row = next
    }
    return rows.count
  }
}
