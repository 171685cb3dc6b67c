import Tensors
import Verifier

/// Ways the text may go on behind the anchor, with their common beginnings merged, and how likely
/// the target takes each of their tokens.
struct DraftTree {
  struct Node: Equatable {
    var token: Token
    /// The node before, −1 for the root.
    var parent: Int
    /// Whose experience the chance is, and at which place behind where it left the rest.
    var cell: ChanceCell
    /// The chance that this node is accepted once its parent is.
    var conditional: Double
    /// The chance that the path to this node is accepted.
    var chance: Double
    var origin: DraftOrigin
  }

  /// Node 0 is the root, the anchor. Parents stand before their children.
  private(set) var nodes: [Node] = []

  /// Starts over with the root alone.
  mutating func reset(root: Token) {
    nodes.removeAll(keepingCapacity: true)
    nodes.append(
      Node(
        token: root, parent: -1, cell: .root, conditional: 1, chance: 1, origin: .drafter))
  }

  /// How many nodes there are, the root included.
  var count: Int { nodes.count }

  /// Adds a path from the root, sharing the nodes that are there.
  ///
  /// - Parameters:
  ///   - tokens: the path.
  ///   - origin: the name in traces.
  ///   - cell: whose chances they are; told whether the path stands beside another one, and the
  ///     tokens since it left the nodes that were there.
  ///   - chances: what the cells are worth.
  mutating func insert(
    _ tokens: [Token], origin: DraftOrigin, chances: DraftChances,
    cell: (_ isBranch: Bool, _ place: Int) -> ChanceCell
  ) {
    var parent = 0
    var place = 0
    var isBranch = false
    for token in tokens {
      let siblings = place > 0 ? [] : nodes.indices.filter { nodes[$0].parent == parent }
      if let shared = siblings.first(where: { nodes[$0].token == token }) {
        parent = shared
        continue
      }
      if !siblings.isEmpty { isBranch = true }
      let cell = cell(isBranch, place)
      // Siblings exclude each other: a chance is at most what the others leave.
      let others = siblings.reduce(0) { $0 + nodes[$1].conditional }
      let conditional = min(chances.conditional(cell), max(1 - others, 0))
      nodes.append(
        Node(
          token: token, parent: parent, cell: cell, conditional: conditional,
          chance: nodes[parent].chance * conditional, origin: origin))
      parent = nodes.count - 1
      place += 1
    }
  }
}
