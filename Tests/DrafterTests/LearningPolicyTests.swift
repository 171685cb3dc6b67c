import Drafter
import Files
import Foundation
import Testing

/// Policies that learn from verdicts.
@Suite struct LearningPolicyTests {
  private struct Costs: RoundCosts {
    var draft: Double
    var verify: @Sendable (Int) -> Double
    func drafting(_ drafts: Int) -> Double { draft }
    func verifying(_ rows: Int) -> Double { verify(rows) }
  }

  /// Runs rounds whose drafts are right with chances of their own, and right behind a second pass with others.
  private func play(
    _ policy: inout some DenoisingPolicy, rounds: Int, drafts: Int, costs: Costs, seed: UInt64 = 1,
    certainty: @escaping (Int) -> Float = { _ in 0.5 },
    chance: (_ place: Int, _ passes: Int) -> Double
  ) -> [DenoisedBlock] {
    var random = SplitMix(seed: seed)
    var blocks: [DenoisedBlock] = []
    for number in 0..<rounds {
      var round = DenoisingRound()
      (round.position, round.costs) = (7 * number, costs)
      let drafter = FakeDrafter(certainty: { place, _ in certainty(place) })
      let block = drafter.draft(&policy, count: drafts, round: round).block
      var text: [Token] = []
      for place in block.drafts.indices {
        guard Double.random(in: 0..<1, using: &random) < chance(place, block.passes) else { break }
        text.append(block.token(at: place))
      }
      text.append(1)
      if policy.learns {
        policy.observe(DenoisingVerdict(block: block, round: round, text: text[...]))
      }
      blocks.append(block)
    }
    return blocks
  }

  @Test func `the bandit takes a second pass where it pays`() {
    func share(_ draft: Double, gain: Double) -> Double {
      var policy = BanditPolicy()
      let blocks = play(
        &policy, rounds: 1500, drafts: 6, costs: Costs(draft: draft) { _ in 1.3 },
        certainty: { _ in 0.95 },
        chance: { place, passes in passes == 2 && place > 2 ? 0.5 + gain : 0.5 })
      return Double(blocks.suffix(400).count { $0.passes == 2 }) / 400
    }
    // The run is the whole block where all is sure, so that there is nothing for a second pass.
    #expect(share(0.15, gain: 0) == 0)
    func doubtful(_ draft: Double, gain: Double) -> Double {
      var policy = BanditPolicy()
      let blocks = play(
        &policy, rounds: 3000, drafts: 6, costs: Costs(draft: draft) { _ in 1.3 },
        certainty: { $0 < 2 ? 0.95 : 0.2 },
        chance: { place, passes in place < 2 ? 0.95 : passes == 2 ? 0.4 + gain : 0.4 })
      return Double(blocks.suffix(500).count { $0.passes == 2 }) / 500
    }
    #expect(doubtful(1, gain: 0) < 0.2)
    #expect(doubtful(0, gain: 0.55) > 0.8)
  }

  @Test func `the length of blocks follows from what rows cost`() {
    func usual(_ costs: Costs, _ chance: Double) -> Int {
      var policy = WidthPolicy()
      let blocks = play(&policy, rounds: 3000, drafts: 16, costs: costs) { _, _ in chance }
      let widths = Dictionary(grouping: blocks.suffix(500), by: \.drafts.count)
      return widths.max { $0.value.count < $1.value.count }?.key ?? 0
    }
    // Wider costs nothing.
    #expect(usual(Costs(draft: 0.1) { _ in 1 }, 0.95) == 16)
    // Each row costs half a step: one draft of chance one half is the best of the lengths.
    #expect(usual(Costs(draft: 0.1) { 1 + 0.5 * Double($0 - 1) }, 0.5) == 1)
  }

  @Test func `the filter learns what confidences are worth`() {
    // A drafter that is sure of itself; how often it is right goes with the margin of its first row.
    var random = SplitMix(seed: 3)
    var filter = AcceptanceFilter(rows: 4)
    func sample() -> (inputs: [Float], chance: Double) {
      let isEasy = Bool.random(using: &random)
      let inputs = filter.inputs(
        (0..<4).map { ($0 == 3 ? 0.9 : 0.8, isEasy == ($0 == 0) ? 12 : 2) })
      return (inputs, isEasy ? 0.9 : 0.3)
    }
    func error() -> Double {
      (0..<200).map { _ in
        let (inputs, chance) = sample()
        return filter.chances(inputs, count: 4).map { abs(Double($0) - chance) }.reduce(0, +) / 4
      }.reduce(0, +) / 200
    }
    let before = error()
    for _ in 0..<1500 {
      let (inputs, chance) = sample()
      let right = (0..<4).prefix { _ in Double.random(in: 0..<1, using: &random) < chance }.count
      filter.learn(inputs, labels: (0..<4).map { $0 <= right ? $0 < right : nil })
    }
    let after = error()
    // A table by place or by probability alone can tell 0.9 from 0.3 in neither case: it is off by 0.3.
    #expect(before > 0.2 && after < 0.1, "\(before) \(after)")
    let rows: [(Float, Float)] = [(0.9, 1), (0.2, 8), (0.5, 3), (0.7, 2)]
    let one = filter.chances(filter.inputs(rows.map { ($0.0, $0.1) }), count: 4)
    let other = filter.chances(filter.inputs(rows.reversed().map { ($0.0, $0.1) }), count: 4)
    #expect(one != other.reversed())
  }

  @Test func `the filter's width is the best one`() {
    let costs = Costs(draft: 0.15) { 1 + 0.08 * Double($0 - 1) }
    var random = SplitMix(seed: 5)
    for _ in 0..<50 {
      let chances = (0..<8).map { _ in Float.random(in: 0.2...1, using: &random) }
      func rate(_ width: Int) -> Double {
        var (survival, tokens) = (1.0, 1.0)
        for place in 0..<width {
          survival *= Double(chances[place])
          tokens += survival
        }
        return tokens / (0.15 + costs.verifying(width + 1))
      }
      let best = (1...8).max { rate($0) < rate($1) }
      #expect(FilterPolicy.width(chances, costs) == best)
    }
    var policy = PolicyTests.make(FilterPolicy.self, ["width": 1])
    let blocks = play(&policy, rounds: 600, drafts: 6, costs: costs) { place, _ in
      place < 2 ? 0.95 : 0.05
    }
    #expect(blocks.suffix(100).allSatisfy { $0.width <= 3 && $0.passes == 1 })
  }

  /// What is measured on other texts is what was learned before them.
  @Test func `what is settled learns no more`() {
    var filter = PolicyTests.make(FilterPolicy.self, ["width": 1])
    let costs = Costs(draft: 0.15) { 1 + 0.08 * Double($0 - 1) }
    _ = play(&filter, rounds: 400, drafts: 6, costs: costs) { place, _ in place < 2 ? 0.95 : 0.05 }
    func chances() -> [Float]? {
      filter.network.map {
        $0.chances($0.inputs([Float](repeating: 0.5, count: 6).map { ($0, 2) }), count: 6)
      }
    }
    let learned = chances()
    filter.settle()
    _ = play(&filter, rounds: 400, drafts: 6, costs: costs) { _, _ in 0.95 }
    #expect(learned != nil && chances() == learned)

    var bandit = Bandit(situations: 1, actions: 3)
    for action in 0..<3 {
      for _ in 0..<5 { bandit.learn(Double(action), of: action, in: 0) }
    }
    bandit.settle()
    for _ in 0..<50 { bandit.learn(100, of: 0, in: 0) }
    #expect((0..<500).allSatisfy { bandit.action(in: 0, key: $0) == 2 })

    var gate = SecondPassGate()
    gate.settle()
    var round = DenoisingRound()
    round.costs = UsualCosts(draft: 10, verify: 1)
    let pays = (0..<500).count { position in
      round.position = position
      return gate.pays(chances: [1, 0.5, 0.5], shown: 1, round)
    }
    #expect(pays == 0)
  }

  // MARK: The gate

  @Test func `a second pass must bring what its time would`() {
    // Published in the table of docs/policies.md: τ · c / (c + T).
    let gate = SecondPassGate()
    #expect(abs(gate.needed(drafts: 7, UsualCosts()) - 4 * 0.15 / 1.45) < 1e-12)
    #expect(gate.gain(chances: [1, 1, 1], shown: 1) == 0)
    // Behind one sure draft: 0.85 + 0.85² against 0.5 + 0.5².
    #expect(abs(gate.gain(chances: [1, 0.5, 0.5], shown: 1) - (0.85 + 0.7225 - 0.75)) < 1e-9)
    var round = DenoisingRound()
    round.costs = UsualCosts(draft: 10, verify: 1)
    let positions = 0..<500
    let explored = positions.count { position in
      round.position = position
      return gate.pays(chances: [1, 0.5, 0.5], shown: 1, round)
    }
    #expect(explored > 0 && explored < 30)
  }

  @Test func `a limited policy ends where it is told to`() throws {
    for (text, most) in [("fast-dllm:threshold=2,passes=3", 3), ("steps:count=6,passes=2", 2)] {
      let policy = try #require(try DenoisingCatalog.policy(text) as? LimitedPolicy)
      #expect(PolicyTests.drafter().drafted(policy, count: 6).block.passes == most)
    }
    var gated = try #require(try DenoisingCatalog.policy("left-run:gate=1") as? LimitedPolicy)
    #expect(gated.readsCosts && gated.learns && !gated.fixesLeftRuns)
    // A second pass that costs nothing but is of no use is learned to be so.
    let dear = play(
      &gated, rounds: 400, drafts: 6, costs: Costs(draft: 5) { _ in 1 },
      certainty: { $0 < 2 ? 0.95 : 0.3 }
    ) { _, _ in 0.5 }
    #expect(dear.count { $0.passes == 2 } < 40)
  }
}
