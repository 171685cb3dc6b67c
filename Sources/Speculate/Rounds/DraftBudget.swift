/// Decides which sequences of a round draft, and how much, for the highest expected rate of the whole round, and
/// learns what rounds cost (docs/algorithms.md 5).
///
/// Two ways of going on compete: rounds without a drafter's pass, and the best rounds with one. The better one
/// runs. The other is *probed* now and then, so that neither a bad phase of the drafter nor a wrong first
/// measurement decides for ever: a small share of all time goes into a purse, and a probe is made when the purse
/// holds what the probe is expected to lose. What rounds of either kind brought is held against what was expected
/// of them, so that a mistake of the expectation, whatever its cause, decides nothing for long.
///
/// It serves one sequence and many, and belongs to one thread at a time.
package final class DraftBudget {
  /// What passes cost, corrected by every round.
  package private(set) var cost: CostModel
  /// Drafts that each offer's model makes, as shared out last: [offers].
  package private(set) var counts: [Int] = []
  /// A node of less chance is hardly ever verified.
  package private(set) var leastChance = 0.0

  /// Pays for trying the worse of the two ways.
  private var purse = ProbePurse(share: 0.015, interval: 12, patience: 5)
  /// Whether drafting was better in the last round.
  private var drafts = false
  private var probe: Probe?
  private var plain = RoundsOfAKind()
  private var drafting = RoundsOfAKind()
  /// What is expected of the round that runs.
  private var expected: Plan?
  /// The offers' nodes, those first that are likeliest: scratch.
  private var nodes: [Node] = []

  /// Rounds of the other way that were paid for, or go on because they turned out better.
  private struct Probe {
    /// The first with drafts has to catch up with what was read without.
    static let rounds = 3

    var left = rounds
    var tokens = 0.0
    var seconds = 0.0
  }

  private struct Node {
    var chance: Double
    var owner: Int
    var isModel: Bool
  }

  /// A way for a round to go.
  private struct Plan {
    /// Of ``nodes``, the first ones.
    var nodes = 0
    var drafts = 0
    /// The least of their chances.
    var least = 1.0
    var tokens: Double
    var seconds: Double

    var rate: Double { tokens / seconds }
  }

  package init(_ cost: CostModel) {
    self.cost = cost
    nodes.reserveCapacity(RoundPlanner.usualNodes)
  }

  /// Shares drafts out.
  ///
  /// - Parameters:
  ///   - offers: one a sequence.
  ///   - rows: rows that the pass has for them, at least one a sequence.
  ///   - beside: rows that it has for others.
  package func share(_ offers: [DraftOffer], rows: Int, beside: Int = 0) {
    counts.removeAll(keepingCapacity: true)
    for _ in offers { counts.append(0) }
    let limit = rows - offers.count
    rank(offers) { _ in false }
    var chosen = plan(limit: limit, roots: offers.count, beside: beside, drafts: false)
    if limit > 0, offers.contains(where: { !$0.model.isEmpty }) {
      rank(offers) { $0.prefersModel }
      let with = plan(limit: limit, roots: offers.count, beside: beside, drafts: true)
      if isBetter(with, than: chosen) {
        chosen = with
        for node in nodes.prefix(chosen.nodes) where node.isModel { counts[node.owner] += 1 }
      }
    }
    expected = chosen
    // A node pays if it is likelier than the last that was chosen, or brings more than its row costs.
    let width = offers.count + beside + chosen.nodes
    let price = chosen.rate * (cost.verify(width + 1) - cost.verify(width))
    leastChance = min(chosen.least, price)
  }

  /// Whether to draft in this round, because that is better or because a probe is paid for.
  private func isBetter(_ with: Plan, than without: Plan) -> Bool {
    let rates = (with: with.rate * drafting.factor, without: without.rate * plain.factor)
    if drafts != (rates.with > rates.without) {
      drafts.toggle()
      purse.turn()
      probe = nil
    }
    let best = max(rates.with, rates.without)
    if let last = probe, last.left == 0 {
      probe = last.tokens > last.seconds * best ? Probe() : nil
    }
    if probe == nil {
      let seconds = Double(Probe.rounds) * (drafts ? without : with).seconds
      if purse.pays(seconds * (1 - min(rates.with, rates.without) / best)) { probe = Probe() }
    }
    guard probe != nil else { return drafts }
    probe?.left -= 1
    return !drafts
  }

  /// Puts the nodes of all offers in order: of each those of its model, or those that cost no pass.
  private func rank(_ offers: [DraftOffer], drafts: (DraftOffer) -> Bool) {
    nodes.removeAll(keepingCapacity: true)
    for (owner, offer) in offers.enumerated() {
      let isModel = drafts(offer)
      for chance in isModel ? offer.model : offer.free {
        nodes.append(Node(chance: chance, owner: owner, isModel: isModel))
      }
    }
    // Those of one sequence fall already.
    if offers.count > 1 { nodes.sort { ($0.chance, $1.owner) > ($1.chance, $0.owner) } }
  }

  /// The best number of nodes to verify.
  ///
  /// - Parameter drafts: whether a model is to draft, which it does for one node at least.
  private func plan(limit: Int, roots: Int, beside: Int, drafts: Bool) -> Plan {
    let rows = roots + beside
    var tokens = Double(roots)
    var best: Plan? =
      drafts ? nil : Plan(tokens: tokens, seconds: cost.verify(rows))
    var drafted = 0
    for (index, node) in nodes.prefix(max(0, limit)).enumerated() {
      tokens += node.chance
      if node.isModel { drafted += 1 }
      guard !drafts || drafted > 0 else { continue }
      let plan = Plan(
        nodes: index + 1, drafts: drafted, least: node.chance, tokens: tokens,
        seconds: (drafted > 0 ? cost.draft(drafted) : 0) + cost.verify(rows + index + 1))
      if plan.rate > best?.rate ?? 0 { best = plan }
    }
    return best ?? Plan(tokens: Double(roots), seconds: cost.verify(rows))
  }

  /// Learns from a round that had no rows beside those that were shared out.
  ///
  /// - Parameters:
  ///   - price: of the round as a whole.
  ///   - isUsual: whether its draft pass was a usual one.
  package func record(_ price: RoundPrice, isUsual: Bool = true) {
    cost.verify.record(width: price.rows, seconds: price.verifySeconds)
    if price.drafted > 0, isUsual {
      cost.draft.record(width: price.drafted, seconds: price.draftSeconds)
    }
    let seconds = price.verifySeconds + (isUsual ? price.draftSeconds : 0)
    let sequences = Double(price.sequences)
    purse.earn(seconds, cap: 4 * (cost.verify(price.sequences) + cost.draft(price.sequences)))
    guard isUsual, let plan = expected, plan.tokens >= sequences else { return }
    expected = nil
    if drafts != (plan.drafts > 0) {
      probe?.tokens += Double(price.emitted)
      probe?.seconds += seconds
    }
    if plan.drafts > 0 {
      drafting.record(plan.tokens, plan.seconds, brought: price.emitted, in: seconds)
    } else {
      plain.record(plan.tokens, plan.seconds, brought: price.emitted, in: seconds)
    }
  }
}

/// What one sequence could draft in a round.
package struct DraftOffer {
  /// Drafts that its model makes whatever they cost; nil where a budget decides.
  package var fixed: Int?
  /// The chance of each draft that its model could make to be accepted with all before it: they fall.
  package var model: [Double] = []
  /// The same of nodes that cost no pass.
  package var free: [Double] = []
  package var budget: DraftBudget?

  /// An offer of nothing.
  package init() {}

  package init(model: [Double], free: [Double] = [], budget: DraftBudget? = nil) {
    (self.model, self.free, self.budget) = (model, free, budget)
  }

  /// Whether as many drafts of the model are likelier than those that cost no pass.
  fileprivate var prefersModel: Bool {
    guard !model.isEmpty else { return false }
    return model.reduce(0, +) >= free.prefix(model.count).reduce(0, +)
  }
}

/// What rounds of a kind brought, beside what was expected of them.
private struct RoundsOfAKind {
  private var tokens = firstTokens
  /// The tokens that were expected in the time that they took.
  private var due = firstTokens

  /// Expected tokens that the expectation itself counts for, and those that are remembered, about.
  private static let firstTokens = 128.0
  private static let remembered = 512.0
  /// How far one kind may be off.
  private static let most = 1.4

  mutating func record(
    _ expected: Double, _ expectedSeconds: Double, brought: Int, in seconds: Double
  ) {
    let kept = max(0, 1 - expected / Self.remembered)
    tokens = kept * tokens + Double(brought)
    due = kept * due + expected * min(max(seconds / expectedSeconds, 0.5), 2)
  }

  /// The rate over the expected one.
  var factor: Double { min(max(tokens / due, 1 / Self.most), Self.most) }
}

/// A small share of all time, saved up for probes: rounds that are expected to lose against the best
/// known way, but tell whether that is still so.
struct ProbePurse: Sendable, Equatable {
  private let share: Double
  private let interval: Int
  /// How many times smaller the share gets, probe by probe, while the same way stays the best.
  private let patience: Int
  private var seconds = 0.0
  private var roundsSinceProbe = 0
  /// Probes since another way was the best.
  private var probes = 0

  init(share: Double, interval: Int, patience: Int = 1) {
    self.share = share
    self.interval = interval
    self.patience = patience
  }

  /// Pays for a probe, if it can; asked at most once a round.
  mutating func pays(_ loss: Double) -> Bool {
    guard roundsSinceProbe > interval, seconds >= loss else { return false }
    seconds -= loss
    roundsSinceProbe = 0
    probes = min(probes + 1, patience)
    return true
  }

  /// Notes that another way is the best now.
  mutating func turn() { probes = 0 }

  /// Earns from a round.
  ///
  /// - Parameters:
  ///   - time: seconds of the round.
  ///   - cap: the most seconds that the purse holds.
  mutating func earn(_ time: Double, cap: Double) {
    seconds = min(seconds + share / Double(max(1, probes)) * time, cap)
    roundsSinceProbe += 1
  }
}
