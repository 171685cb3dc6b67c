import Tensors
import Verifier

extension DraftTree {
  /// The nodes that a pass has judged: those whose parents were accepted.
  ///
  /// - Parameters:
  ///   - rows: what was verified.
  ///   - nodes: the node of each row.
  ///   - path: the rows whose choices were emitted.
  ///   - next: the last token emitted.
  /// - Returns: each judged node, and whether it was accepted.
  func judged(
    _ rows: TokenTree, nodes: [Int], path: [Int], next: Token
  ) -> [(node: Int, isAccepted: Bool)] {
    var judged: [(node: Int, isAccepted: Bool)] = []
    for row in 1..<Swift.max(1, rows.count) {
      guard let place = path.firstIndex(of: rows.parents[row]) else { continue }
      let own = place + 1 < path.count ? rows.tokens[path[place + 1]] : next
      judged.append((nodes[row], rows.tokens[row] == own))
    }
    return judged
  }
}
