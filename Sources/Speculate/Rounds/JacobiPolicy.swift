/// What a Jacobi decoder knows about speed: what passes cost, what widths bring, and how likely
/// guesses are right. It decides speed, never the output.
package struct JacobiPolicy: Sendable, Equatable {
  /// How many rows passes have.
  var width: JacobiWidth
  /// How likely guesses and candidates are right.
  var chances = DraftChances()
  /// Tokens of a block, unless the options say otherwise.
  let block: Int

  /// Starts from measured pass times.
  ///
  /// - Parameter maximumRows: rows of the widest pass.
  package init(_ times: PassTimes, maximumRows: Int) {
    width = JacobiWidth(times, maximumRows: maximumRows)
    // Twice what is nearly free: a block is iterated on ahead of the tokens it commits.
    block = min(max(2 * width.nearlyFreeRows, 8), 32)
  }
}
