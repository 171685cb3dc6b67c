import Files
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
  /// Tokens that end the output: nothing behind one is ever taken.
  var ends: [Token] = []

  // What selection works in, kept for the next round.
  /// Nodes but the root, those first that are most worth verifying.
  var ranking: [Int] = []
  var rankedChances: [Double] = []
  var firstChild: [Int] = []
  var nextSibling: [Int] = []
  /// Nodes to lay out, the next one last, with the row of their parent.
  var waiting: [(node: Int, parent: Int)] = []
  /// How far each node is from the root, −1 where the text went on otherwise.
  private var places: [Int] = []

  init(capacity: Int = 0) {
    nodes.reserveCapacity(capacity)
    ranking.reserveCapacity(capacity)
    rankedChances.reserveCapacity(capacity)
    firstChild.reserveCapacity(capacity)
    nextSibling.reserveCapacity(capacity)
    waiting.reserveCapacity(capacity)
    places.reserveCapacity(capacity)
  }

  mutating func reset(root: Token) {
    nodes.removeAll(keepingCapacity: true)
    nodes.append(
      Node(
        token: root, parent: -1, cell: .root, conditional: 1, chance: 1, origin: .drafter))
  }

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
    _ tokens: some Sequence<Token>, origin: DraftOrigin, chances: DraftChances,
    cell: (_ isBranch: Bool, _ place: Int) -> ChanceCell
  ) {
    var parent = 0
    var place = 0
    var isBranch = false
    for token in tokens {
      // Siblings exclude each other: a chance is at most what the others leave.
      var others = 0.0
      if place == 0 {
        if let shared = child(of: parent, token: token) {
          parent = shared
          continue
        }
        for node in nodes where node.parent == parent {
          isBranch = true
          others += node.conditional
        }
      }
      append(
        token, after: parent, origin: origin, cell: cell(isBranch, place), chances: chances,
        others: others)
      parent = nodes.count - 1
      place += 1
    }
  }

  /// Adds a source's other ways to go on, to a tree that holds its drafts and nothing else.
  mutating func insert(_ branches: [DraftBranch], chances: DraftChances) {
    for branch in branches {
      let parent = branch.parent + 1
      let others = nodes.reduce(0.0) { $1.parent == parent ? $0 + $1.conditional : $0 }
      append(
        branch.token, after: parent, origin: .drafter, cell: branch.cell, chances: chances,
        others: others)
    }
  }

  private mutating func append(
    _ token: Token, after parent: Int, origin: DraftOrigin, cell: ChanceCell,
    chances: DraftChances, others: Double
  ) {
    let isEnd = parent > 0 && ends.contains(nodes[parent].token)
    let conditional = isEnd ? 0 : min(chances.conditional(cell), max(1 - others, 0))
    nodes.append(
      Node(
        token: token, parent: parent, cell: cell, conditional: conditional,
        chance: nodes[parent].chance * conditional, origin: origin))
  }

  /// Adds a path that costs no pass.
  mutating func insert(_ candidate: FreeDrafts.Candidate, chances: DraftChances) {
    insert(candidate.tokens, origin: candidate.kind.origin, chances: chances) {
      .free(candidate.kind, isBranch: $0, place: $1)
    }
  }

  /// Tells which nodes were right, as far as the text says: those whose parents it goes through.
  ///
  /// Whether a node was verified makes no difference: what the target chose behind its parent is known all
  /// the same. So chances are learned from drafts that cost nothing.
  ///
  /// - Parameters:
  ///   - emitted: the tokens that the round committed.
  ///   - tell: takes each judged node and its number, and whether it was right.
  mutating func judge(
    _ emitted: ArraySlice<Token>, tell: (_ node: Node, _ number: Int, _ isRight: Bool) -> Void
  ) {
    places.removeAll(keepingCapacity: true)
    places.append(0)
    for node in 1..<Swift.max(1, count) {
      let place = places[nodes[node].parent]
      guard place >= 0, place < emitted.count else {
        places.append(-1)
        continue
      }
      let isRight = nodes[node].token == emitted[emitted.startIndex + place]
      places.append(isRight ? place + 1 : -1)
      tell(nodes[node], node, isRight)
    }
  }

  private func child(of parent: Int, token: Token) -> Int? {
    nodes.firstIndex { $0.parent == parent && $0.token == token }
  }
}
