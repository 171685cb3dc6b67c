import Files
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
  private var tree = DraftTree(capacity: usualNodes)
  /// The rows to verify.
  private(set) var rows = TokenTree(root: 0)
  /// The node of each row.
  private(set) var nodes: [Int] = []
  /// Nodes that a model drafted, the first behind the root.
  private var modelNodes = 0
  /// Whether the model said how sure it was.
  private var hasConfidences = false

  /// Nodes that memory is made for at once; a larger tree makes it grow.
  private static let usualNodes = 128

  /// Starts to plan.
  init(_ length: DraftLength) {
    rows.reserveCapacity(Self.usualNodes)
    nodes.reserveCapacity(Self.usualNodes)
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
  mutating func begin(anchor: Token, candidates: ArraySlice<FreeDrafts.Candidate>) {
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
    tree.rank()
    let free = cost.nodeCount(chances: tree.rankedChances, limit: rows, drafted: 0)
    return policy?.draftCount(limit: limit, against: free.rate) ?? 0
  }

  /// Adds the model's drafts, to which the others are alternatives.
  mutating func add(_ block: DraftBlock, before candidates: ArraySlice<FreeDrafts.Candidate>) {
    hasConfidences = !block.confidences.isEmpty && block.confidences.count == block.tokens.count
    tree.reset(root: tree.nodes[0].token)
    tree.insert(block.tokens, origin: .drafter, chances: chances) { _, place in
      .model(place: place, confidence: hasConfidences ? block.confidences[place] : nil)
    }
    modelNodes = tree.count - 1
    insert(candidates)
  }

  /// Decides which rows to verify.
  ///
  /// - Parameter limit: the most rows without the anchor's.
  mutating func chooseRows(limit: Int) {
    // Drafts without confidences were counted right when they were asked for.
    let kept = hasConfidences || policy == nil ? 0 : min(modelNodes, limit)
    tree.rank(kept: kept)
    tree.layOut(rowCount(limit: limit, kept: kept), into: &rows, nodes: &nodes)
  }

  /// How many nodes are worth a row.
  private mutating func rowCount(limit: Int, kept: Int) -> Int {
    let limit = min(limit, tree.ranking.count)
    guard let cost = policy?.cost else { return min(fixedLength, limit) }
    let best = cost.nodeCount(
      chances: tree.rankedChances, kept: kept, limit: limit, drafted: modelNodes)
    guard best.count < limit else { return best.count }
    let next = tree.nodes[tree.ranking[best.count]]
    let probes =
      next.cell.table > 0 && policy?.probesNode(chance: next.chance, beyond: best) == true
    return best.count + (probes ? 1 : 0)
  }

  /// Learns from the round.
  ///
  /// - Parameters:
  ///   - path: the rows whose choices were emitted.
  ///   - next: the last token emitted.
  ///   - drafted: drafts that a model made.
  ///   - draftSeconds: time of drafting; `nil` if it was not a usual one.
  ///   - verifySeconds: time of the round without drafting.
  ///   - accept: is told where each accepted draft came from.
  mutating func record(
    path: [Int], next: Token, drafted: Int, draftSeconds: Double?, verifySeconds: Double,
    accept: (DraftOrigin) -> Void
  ) {
    tree.judge(rows, nodes: nodes, path: path, next: next) { node, isAccepted in
      if policy != nil {
        policy?.chances.record(node.cell, accepted: isAccepted)
      } else {
        fixedChances.record(node.cell, accepted: isAccepted)
      }
      if isAccepted { accept(node.origin) }
    }
    policy?.record(
      drafted: drafted, rows: rows.count, draftSeconds: draftSeconds,
      verifySeconds: verifySeconds)
  }

  private mutating func insert(_ candidates: ArraySlice<FreeDrafts.Candidate>) {
    for candidate in candidates {
      tree.insert(candidate.tokens, origin: candidate.kind.origin, chances: chances) {
        .free(candidate.kind, isBranch: $0, place: $1)
      }
    }
  }
}
