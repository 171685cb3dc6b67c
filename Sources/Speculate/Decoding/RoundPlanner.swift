import Tensors
import Verifier

/// Decides what one round drafts and verifies, and learns from what came of it.
///
/// It decides speed, never tokens.
struct RoundPlanner {
  /// How lengths are chosen by expected speed; `nil` if they are fixed.
  private(set) var policy: AdaptiveDraftLength?
  private let fixedLength: Int
  /// What is known about chances when lengths are fixed.
  private var fixedChances = DraftChances()
  private var tree = DraftTree()
  /// Nodes that a model drafted, the first behind the root.
  private var modelNodes = 0
  /// Whether the model said how sure it was.
  private var hasConfidences = false

  /// Starts to plan.
  init(_ length: DraftLength) {
    switch length {
    case .fixed(let count): fixedLength = max(0, count)
    case .adaptive(let policy):
      fixedLength = 0
      self.policy = policy
    }
  }

  /// Where the round's first draft comes from.
  var origin: DraftOrigin { tree.nodes.count > 1 ? tree.nodes[1].origin : .drafter }

  /// Where a node came from; where sources agree, the first of them.
  func origin(of node: Int) -> DraftOrigin { tree.nodes[node].origin }

  /// The probability of a node by its source's own account, if it has one.
  func confidence(of node: Int) -> Float? { tree.nodes[node].cell.confidence }

  private var chances: DraftChances { policy?.chances ?? fixedChances }

  /// Begins a round with what costs no pass.
  mutating func begin(anchor: Token, candidates: [FreeDrafts.Candidate]) {
    tree.reset(root: anchor)
    modelNodes = 0
    insert(candidates)
  }

  /// How many drafts the model should make; 0 for none.
  ///
  /// - Parameters:
  ///   - limit: the most drafts that it can make.
  ///   - rows: the most drafts that the round can verify.
  mutating func modelDrafts(limit: Int, rows: Int) -> Int {
    guard let cost = policy?.cost else { return min(fixedLength, limit) }
    let free = cost.nodeCount(
      chances: tree.ranked().map { tree.nodes[$0].chance }, limit: rows, drafted: 0)
    return policy?.draftCount(limit: limit, against: free.rate) ?? 0
  }

  /// Adds the model's drafts, to which the others are alternatives.
  mutating func add(_ block: DraftBlock, before candidates: [FreeDrafts.Candidate]) {
    hasConfidences = !block.confidences.isEmpty && block.confidences.count == block.tokens.count
    tree.reset(root: tree.nodes[0].token)
    tree.insert(block.tokens, origin: .drafter, chances: chances) { _, place in
      .model(place: place, confidence: hasConfidences ? block.confidences[place] : nil)
    }
    modelNodes = tree.count - 1
    insert(candidates)
  }

  /// The rows to verify, and the node of each.
  ///
  /// - Parameter limit: the most rows without the anchor's.
  mutating func rows(limit: Int) -> (tree: TokenTree, nodes: [Int]) {
    // Drafts without confidences were counted right when they were asked for.
    let kept = hasConfidences || policy == nil ? 0 : min(modelNodes, limit)
    let ranked = tree.ranked(kept: kept)
    guard let cost = policy?.cost else {
      return tree.rows(of: ranked.prefix(min(fixedLength, limit)))
    }
    let chances = ranked.map { tree.nodes[$0].chance }
    let best = cost.nodeCount(chances: chances, kept: kept, limit: limit, drafted: modelNodes)
    var count = best.count
    if count < min(limit, chances.count), tree.nodes[ranked[count]].cell.table > 0,
      policy?.probesNode(chance: chances[count], beyond: best) == true
    {
      count += 1
    }
    return tree.rows(of: ranked.prefix(count))
  }

  /// Learns from the round.
  ///
  /// - Parameters:
  ///   - rows: what was verified.
  ///   - nodes: the node of each row.
  ///   - path: the rows whose choices were emitted.
  ///   - next: the last token emitted.
  ///   - drafted: drafts that a model made.
  ///   - draftSeconds: time of drafting; `nil` if it was not a usual one.
  ///   - verifySeconds: time of the round without drafting.
  /// - Returns: where the accepted drafts came from.
  mutating func record(
    _ rows: TokenTree, nodes: [Int], path: [Int], next: Token, drafted: Int,
    draftSeconds: Double?, verifySeconds: Double
  ) -> [DraftOrigin] {
    var accepted: [DraftOrigin] = []
    for (node, isAccepted) in tree.judged(rows, nodes: nodes, path: path, next: next) {
      let node = tree.nodes[node]
      if policy != nil {
        policy?.chances.record(node.cell, accepted: isAccepted)
      } else {
        fixedChances.record(node.cell, accepted: isAccepted)
      }
      if isAccepted { accepted.append(node.origin) }
    }
    policy?.record(
      drafted: drafted, rows: rows.count, draftSeconds: draftSeconds,
      verifySeconds: verifySeconds)
    return accepted
  }

  private mutating func insert(_ candidates: [FreeDrafts.Candidate]) {
    for candidate in candidates {
      tree.insert(candidate.tokens, origin: candidate.kind.origin, chances: chances) {
        .free(candidate.kind, isBranch: $0, place: $1)
      }
    }
  }
}
