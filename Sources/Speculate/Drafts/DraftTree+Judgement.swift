import Files
import Verifier

extension DraftTree {
  /// Tells the nodes that a pass has judged: those whose parents were accepted.
  ///
  /// - Parameters:
  ///   - rows: what was verified.
  ///   - nodes: the node of each row.
  ///   - path: the rows whose choices were emitted.
  ///   - next: the last token emitted.
  ///   - tell: takes each judged node, and whether it was accepted.
  func judge(
    _ rows: TokenTree, nodes: [Int], path: [Int], next: Token,
    tell: (_ node: Node, _ isAccepted: Bool) -> Void
  ) {
    for row in 1..<Swift.max(1, rows.count) {
      guard let place = path.firstIndex(of: rows.parents[row]) else { continue }
      let own = place + 1 < path.count ? rows.tokens[path[place + 1]] : next
      tell(self.nodes[nodes[row]], rows.tokens[row] == own)
    }
  }
}
