import Files
import Verifier

/// Decides what one round drafts and verifies, and learns from what came of it.
///
/// It decides speed, never tokens.
struct RoundPlanner {
  /// Decides by expected speed; `nil` if lengths are fixed.
  let budget: DraftBudget?
  private let fixedLength: Int
  /// How likely drafts are accepted.
  private(set) var chances = DraftChances()
  /// Those of the drafts that the model could make: scratch.
  private var survival: [Double] = []
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

  /// Nodes that memory is made for at once; a larger tree makes it grow.
  static let usualNodes = 128

  /// Tokens that end the output.
  var ends: [Token] {
    get { tree.ends }
    set { tree.ends = newValue }
  }

  /// - Parameter budget: of all that decode together; `nil` for one of its own.
  init(_ length: DraftLength, budget: DraftBudget?) {
    rows.reserveCapacity(Self.usualNodes)
    nodes.reserveCapacity(Self.usualNodes)
    switch length {
    case .fixed(let count): (fixedLength, self.budget) = (max(0, count), nil)
    case .adaptive(let policy):
      (fixedLength, self.budget) = (0, budget ?? DraftBudget(policy.cost))
      chances = policy.chances
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

  /// Begins a round with what costs no pass.
  mutating func begin(anchor: Token, candidates: ArraySlice<FreeDrafts.Candidate>) {
    tree.reset(root: anchor)
    (modelNodes, branchNodes) = (0, 0)
    insert(candidates)
  }

  /// What could be drafted in the round.
  ///
  /// - Parameters:
  ///   - model: the most drafts that the model can make.
  ///   - rows: the most drafts that the round can verify.
  mutating func offer(model: Int, rows: Int) -> DraftOffer {
    guard let budget else {
      var offer = DraftOffer()
      offer.fixed = min(fixedLength, model)
      return offer
    }
    tree.rank()
    tree.cutRanking(to: rows)
    chances.survival.survival(max(0, model), into: &survival)
    return DraftOffer(model: survival, free: tree.rankedChances, budget: budget)
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
    guard let budget, width > 0, !isChain else { return nil }
    return DraftBranching(
      width: width, limit: min(limit, DraftBranching.most), chances: chances,
      least: budget.leastChance)
  }

  /// Ranks what could be verified.
  ///
  /// - Parameter limit: the most rows without the anchor's.
  mutating func propose(limit: Int) -> RowProposal {
    // Drafts without confidences were counted right when they were asked for.
    let kept = hasConfidences || budget == nil ? 0 : min(modelNodes, limit)
    tree.rank(kept: kept)
    let limit = min(limit, tree.ranking.count)
    // A source may have more to say than it was asked for.
    let count = min(max(fixedLength, modelNodes + branchNodes), limit)
    return RowProposal(
      chances: tree.rankedChances, kept: budget == nil ? count : kept,
      limit: budget == nil ? count : limit, drafted: modelNodes, cost: budget?.cost)
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
      chances.record(node.cell, accepted: isRight)
      if isRight, nodes.contains(number) { accept(node.origin) }
    }
  }

  private mutating func insert(_ candidates: ArraySlice<FreeDrafts.Candidate>) {
    for candidate in isChain ? candidates.prefix(1) : candidates {
      tree.insert(candidate, chances: chances)
    }
  }
}
