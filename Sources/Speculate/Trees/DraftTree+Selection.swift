import Verifier

extension DraftTree {
  /// The nodes but the root in the order in which they are worth verifying.
  ///
  /// No node comes before its parent, whose chance is at least as large.
  ///
  /// - Parameter kept: nodes that come first in any case: `1...kept`, a chain.
  func ranked(kept: Int = 0) -> [Int] {
    guard count > kept + 1 else { return Array(1..<count) }
    let rest = (kept + 1..<count).sorted {
      nodes[$0].chance > nodes[$1].chance || (nodes[$0].chance == nodes[$1].chance && $0 < $1)
    }
    return Array(1..<kept + 1) + rest
  }

  /// The root and some other nodes as the rows of a pass.
  ///
  /// Of siblings the likeliest comes last, so that the rows that are probably kept are those that
  /// need no copying afterwards.
  ///
  /// - Parameter selected: nodes whose parents are the root or selected too.
  /// - Returns: the rows, and the node of each.
  func rows(of selected: some Sequence<Int>) -> (tree: TokenTree, nodes: [Int]) {
    var children = [[Int]](repeating: [], count: count)
    for node in selected { children[nodes[node].parent].append(node) }
    var tree = TokenTree(root: nodes[0].token)
    var nodeOfRow = [0]
    // Nodes to visit, the next one last, with the row of their parent.
    var waiting: [(node: Int, parent: Int)] = []
    func visit(_ node: Int, row: Int) {
      let likeliestFirst = children[node].sorted {
        nodes[$0].chance > nodes[$1].chance || (nodes[$0].chance == nodes[$1].chance && $0 < $1)
      }
      waiting += likeliestFirst.map { ($0, row) }
    }
    visit(0, row: 0)
    while let (node, parent) = waiting.popLast() {
      tree.append(nodes[node].token, after: parent)
      nodeOfRow.append(node)
      visit(node, row: tree.count - 1)
    }
    return (tree, nodeOfRow)
  }
}
