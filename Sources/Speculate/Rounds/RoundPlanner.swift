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
  private(set) var rows = TokenTree(root: 0)
  private(set) var nodes: [Int] = []
  /// Nodes that a model drafted, the first behind the root.
  private var modelNodes = 0
  /// Nodes beside these that its own other ways to go on are.
  private var branchNodes = 0
  /// Whether the model said how sure it was.
  private var hasConfidences = false
  /// Whether drafts are weighed against what they were drawn from. Then they are a chain, and none is left out for
  /// what it is or what comes behind it (arXiv 2607.05147, appendix A): all that were asked for are verified.
  var isChain = false
  /// What rounds cost this sequence when several share them.
  private var shared: (cost: CostModel, sequences: Int, rounds: Int)?

  /// Nodes that memory is made for at once; a larger tree makes it grow.
  private static let usualNodes = 128
  /// Rounds for which shared costs are kept.
  private static let sharedRounds = 32

  /// Tokens that end the output.
  var ends: [Token] {
    get { tree.ends }
    set { tree.ends = newValue }
  }

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

  var origin: DraftOrigin? { tree.nodes.count > 1 ? tree.nodes[1].origin : nil }

  var traced: [TracedDraft] {
    nodes.dropFirst().map {
      let cell = tree.nodes[$0].cell
      return TracedDraft(
        origin: tree.nodes[$0].origin, confidence: cell.branch == nil ? cell.confidence : nil)
    }
  }

  private var chances: DraftChances { policy?.chances ?? fixedChances }

  /// Begins a round with what costs no pass.
  mutating func begin(anchor: Token, candidates: ArraySlice<FreeDrafts.Candidate>) {
    tree.reset(root: anchor)
    (modelNodes, branchNodes) = (0, 0)
    insert(candidates)
  }

  /// How many drafts the model should make; 0 for none.
  ///
  /// - Parameters:
  ///   - limit: the most drafts that it can make.
  ///   - rows: the most drafts that the round can verify.
  ///   - sharing: sequences of the round.
  mutating func modelDrafts(limit: Int, rows: Int, sharing: Int) -> Int {
    guard let own = policy?.cost else { return min(fixedLength, limit) }
    let shared = sharing > 1 ? sharedCost(own, sequences: sharing) : nil
    tree.rank()
    let free = (shared ?? own).nodeCount(chances: tree.rankedChances, limit: rows, drafted: 0)
    return policy?.draftCount(limit: limit, against: free.rate, shared: shared) ?? 0
  }

  private mutating func sharedCost(_ cost: CostModel, sequences: Int) -> CostModel {
    if let shared, shared.sequences == sequences, shared.rounds > 0 {
      self.shared?.rounds -= 1
      return shared.cost
    }
    let made = cost.shared(by: sequences)
    shared = (made, sequences, Self.sharedRounds)
    return made
  }

  /// Adds the model's drafts, to which the others are alternatives.
  mutating func add(_ block: DraftBlock, before candidates: ArraySlice<FreeDrafts.Candidate>) {
    hasConfidences =
      !isChain && !block.confidences.isEmpty && block.confidences.count == block.tokens.count
    tree.reset(root: tree.nodes[0].token)
    tree.insert(block.tokens, origin: .drafter, chances: chances) { _, place in
      .model(place: place, confidence: hasConfidences ? block.confidences[place] : nil)
    }
    modelNodes = tree.count - 1
    guard !isChain else { return }
    tree.insert(block.branches, chances: chances)
    branchNodes = tree.count - 1 - modelNodes
    insert(candidates)
  }

  /// How far a model may look beside its first choices; nil where lengths are fixed.
  ///
  /// - Parameters:
  ///   - width: runners-up of a place.
  ///   - limit: the most drafts that the round can verify.
  func branching(_ width: Int, limit: Int) -> DraftBranching? {
    guard let policy, width > 0, !isChain else { return nil }
    return DraftBranching(
      width: width, limit: min(limit, DraftBranching.most), chances: policy.chances)
  }

  /// Ranks what could be verified.
  ///
  /// - Parameter limit: the most rows without the anchor's.
  mutating func propose(limit: Int) -> RowProposal {
    // Drafts without confidences were counted right when they were asked for.
    let kept = hasConfidences || policy == nil ? 0 : min(modelNodes, limit)
    tree.rank(kept: kept)
    let limit = min(limit, tree.ranking.count)
    // A source may have more to say than it was asked for.
    let count = min(max(fixedLength, modelNodes + branchNodes), limit)
    return RowProposal(
      chances: tree.rankedChances, kept: policy == nil ? count : kept,
      limit: policy == nil ? count : limit, drafted: modelNodes, cost: policy?.cost)
  }

  /// Lays out the rows to verify.
  mutating func layOut(_ count: Int) { tree.layOut(count, into: &rows, nodes: &nodes) }

  /// Learns which drafts were right, the unverified ones among them.
  ///
  /// - Parameters:
  ///   - emitted: the tokens that the round committed.
  ///   - accepted: how many of them are drafts.
  ///   - accept: is told where each accepted draft came from.
  mutating func judge(
    _ emitted: ArraySlice<Token>, accepted: Int, accept: (DraftOrigin) -> Void
  ) {
    tree.judge(emitted) { node, number, isRight in
      // A rejected draft may come back in its own place.
      let isRight = isRight && (!isChain || number <= accepted)
      if policy != nil {
        policy?.chances.record(node.cell, accepted: isRight)
      } else {
        fixedChances.record(node.cell, accepted: isRight)
      }
      if isRight, nodes.contains(number) { accept(node.origin) }
    }
  }

  /// Learns what the round cost.
  ///
  /// - Parameter isUsual: whether its draft pass was a usual one.
  mutating func learn(_ price: RoundPrice, isUsual: Bool) {
    policy?.record(
      drafted: price.drafted, rows: price.rows,
      draftSeconds: isUsual ? price.draftSeconds : nil, verifySeconds: price.verifySeconds,
      sequences: price.sequences)
  }

  private mutating func insert(_ candidates: ArraySlice<FreeDrafts.Candidate>) {
    for candidate in isChain ? candidates.prefix(1) : candidates {
      tree.insert(candidate, chances: chances)
    }
  }
}
