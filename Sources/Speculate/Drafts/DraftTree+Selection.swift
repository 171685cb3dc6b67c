import Verifier

extension DraftTree {
  /// Puts the nodes but the root into ``ranking``, and their chances into ``rankedChances``, in the order in which they are worth verifying.
  ///
  /// No node comes before its parent, whose chance is at least as large.
  ///
  /// - Parameter kept: nodes that come first in any case: `1...kept`, a chain.
  mutating func rank(kept: Int = 0) {
    ranking.removeAll(keepingCapacity: true)
    // Chances fall along a path, so that nodes are nearly in order already.
    for node in 1..<count {
      var place = ranking.count
      ranking.append(node)
      while place > kept, nodes[ranking[place - 1]].chance < nodes[node].chance {
        ranking[place] = ranking[place - 1]
        place -= 1
      }
      ranking[place] = node
    }
    rankedChances.removeAll(keepingCapacity: true)
    for node in ranking { rankedChances.append(nodes[node].chance) }
  }

  /// Forgets all but the first of ``rankedChances``.
  mutating func cutRanking(to count: Int) {
    rankedChances.removeLast(max(0, rankedChances.count - max(0, count)))
  }

  /// The root and the first nodes of ``ranking`` as the rows of a pass.
  ///
  /// Of siblings the likeliest comes last, so that the rows that are probably kept are those that
  /// need no copying afterwards.
  ///
  /// - Parameters:
  ///   - selected: how many nodes.
  ///   - rows: is replaced by the rows.
  ///   - nodeOfRow: is replaced by the node of each row.
  mutating func layOut(_ selected: Int, into rows: inout TokenTree, nodes nodeOfRow: inout [Int]) {
    firstChild.removeAll(keepingCapacity: true)
    nextSibling.removeAll(keepingCapacity: true)
    for _ in 0..<count {
      firstChild.append(-1)
      nextSibling.append(-1)
    }
    for node in ranking[..<selected] { link(node) }
    rows.reset(root: nodes[0].token)
    nodeOfRow.removeAll(keepingCapacity: true)
    nodeOfRow.append(0)
    waiting.removeAll(keepingCapacity: true)
    wait(forChildrenOf: 0, row: 0)
    while let (node, parent) = waiting.popLast() {
      rows.append(nodes[node].token, after: parent)
      nodeOfRow.append(node)
      wait(forChildrenOf: node, row: rows.count - 1)
    }
  }

  /// Adds a node to its parent's children, the likeliest first.
  private mutating func link(_ node: Int) {
    var before = -1
    var next = firstChild[nodes[node].parent]
    while next >= 0, nodes[next].chance >= nodes[node].chance {
      before = next
      next = nextSibling[next]
    }
    nextSibling[node] = next
    if before < 0 {
      firstChild[nodes[node].parent] = node
    } else {
      nextSibling[before] = node
    }
  }

  private mutating func wait(forChildrenOf node: Int, row: Int) {
    var child = firstChild[node]
    while child >= 0 {
      waiting.append((child, row))
      child = nextSibling[child]
    }
  }
}
