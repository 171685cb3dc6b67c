import Drafter
import Files
import Foundation
import Testing

/// Each policy does what its paper says, on blocks of a drafter without a model.
@Suite struct PolicyTests {
  static func make<Policy: NamedPolicy>(_ type: Policy.Type, _ given: [String: Double] = [:])
    -> Policy
  {
    Policy(DenoisingValues(DenoisingCatalog.settings(of: type), given))
  }

  /// Certainties that differ, in no order.
  static let mixed: [Float] = [0.62, 0.35, 0.97, 0.51, 0.93, 0.18, 0.76, 0.44]

  static func drafter(_ certainties: [Float] = mixed) -> FakeDrafter {
    FakeDrafter(certainty: { place, _ in certainties[place % certainties.count] })
  }

  // MARK: Schedules

  @Test func `steps fix as many as the schedule says`() {
    for rows in 1...12 {
      for passes in 1...rows {
        for shift in [0.2, 0.33, 1, 3] {
          let counts = FixingRules.shifted(shift, rows: rows, passes: passes)
          #expect(counts.reduce(0, +) == rows && counts.allSatisfy { $0 >= 1 }, "\(rows) \(passes)")
        }
      }
    }
    #expect(FixingRules.shifted(1, rows: 8, passes: 4) == [2, 2, 2, 2])
    // Few early, many late.
    #expect(FixingRules.shifted(0.33, rows: 8, passes: 2)[0] < 4)
    #expect(
      FixingRules.shiftedTime(0, by: 0.3) == 0
        && abs(FixingRules.shiftedTime(1, by: 0.3) - 1) < 1e-12)
    let times = (0...20).map { FixingRules.shiftedTime(Double($0) / 20, by: 0.33) }
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    let steps = Self.make(StepsPolicy.self, ["count": 8, "left": 1])
    let drafted = Self.drafter().drafted(steps, count: 8)
    #expect(drafted.block.passes == 8 && drafted.fixed == (0..<7).map { [$0] })
  }

  // MARK: Thresholds

  /// FreeDave's passes for the drafts of a pass a draft.
  @Test func `self-verification takes as many passes as guesses are wrong`() {
    func order(_ tokens: Int...) -> [PlacedToken] {
      tokens.enumerated().map { PlacedToken($0.offset + 7 - tokens.count, Token($0.element)) }
    }
    // What the first pass proposes stays: one pass, and one over all guesses.
    #expect(
      SelfVerification.calls([order(1, 2, 3, 4), order(2, 3, 4), order(3, 4), order(4)]) == 2)
    // Each pass changes its mind about what follows.
    #expect(
      SelfVerification.calls([order(1, 9, 9, 9), order(2, 8, 8), order(3, 7), order(4)]) == 4)
    // The third draft is guessed wrongly: the guesses behind it run again.
    #expect(
      SelfVerification.calls([order(1, 2, 9, 4), order(2, 9, 4), order(3, 4), order(4)]) == 3)
    #expect(SelfVerification.calls([order(5)]) == 1 && SelfVerification.calls([]) == 0)
    // No more than eight guesses at once.
    let long = (0..<20).map { start in (start..<20).map { PlacedToken($0, 3) } }
    #expect(SelfVerification.calls(long) == 4)
    var policy = Self.make(StepsPolicy.self, ["count": 64])
    for _ in 0..<3 { _ = Self.drafter().draft(&policy, count: 6) }
    // The drafter without a model says the same of a row in every pass.
    #expect(policy.verification.blocks == 3 && policy.verification.calls == 6)
    var two = Self.make(StepsPolicy.self)
    _ = Self.drafter().draft(&two, count: 6)
    #expect(two.verification.blocks == 0)
  }

  @Test func `no sub-block is begun before the one before is done`() {
    let sizes = [(8, 2), (7, 3), (8, 8), (5, 1)]
    for (count, rows) in sizes {
      let policy = Self.make(ThresholdPolicy.self, ["threshold": 0.5, "subblock": Double(rows)])
      let (_, fixed) = Self.drafter().drafted(policy, count: count)
      let blocks = fixed.flatMap { $0.map { $0 / rows } }
      #expect(blocks == blocks.sorted())
      let all = Self.make(ThresholdPolicy.self, ["threshold": 0, "subblock": Double(rows)])
      #expect(Self.drafter().drafted(all, count: count).block.passes == (count + rows - 1) / rows)
      let single = Self.make(ThresholdPolicy.self, ["threshold": 2, "subblock": Double(rows)])
      #expect(Self.drafter().drafted(single, count: count).block.passes == count)
    }
  }

  @Test func `the factor rule wants more of each further mask`() {
    let certainties: [Float] = [0.6, 0.99, 0.8, 0.1]
    func fixed(_ factor: Float) -> [Int] {
      FixingRules.factor(factor, of: [0, 1, 2, 3]) { certainties[$0] }
    }
    // The second is held against 1 − f/3, the third against 1 − f/4.
    #expect(fixed(0.1) == [1] && fixed(0.7) == [1, 2] && fixed(2) == [1, 2, 0])
    #expect(FixingRules.factor(0, of: [3]) { certainties[$0] } == [3])
  }

  @Test func `Dimple fixes what is sure, and else by its schedule`() {
    let never = Self.make(DimplePolicy.self, ["threshold": 1, "steps": 4])
    for fallback in [1.0, 2] {
      let policy = Self.make(
        DimplePolicy.self, ["threshold": 1, "steps": 4, "fallback": fallback])
      let (block, fixed) = Self.drafter().drafted(policy, count: 8)
      #expect(fixed.allSatisfy { !$0.isEmpty } && block.passes <= 5)
      #expect(Set(fixed.joined()).count == fixed.joined().count)
    }
    // As many as the schedule says, and all at its last step.
    var (left, step) = (8, 0)
    var counts: [Int] = []
    while left > 0 {
      let next = DimplePolicy.scheduled(masked: left, total: 8, steps: 4, from: step)
      counts.append(next.count)
      (left, step) = (left - next.count, next.step + 1)
    }
    #expect(counts.reduce(0, +) == 8 && counts.count == 4)
    #expect(Self.drafter().drafted(never, count: 8).fixed.map(\.count) == Array(counts.dropLast()))
    #expect(DimplePolicy.scheduled(masked: 5, total: 8, steps: 4, from: 4).count == 5)
    let always = Self.make(DimplePolicy.self, ["threshold": 0])
    #expect(Self.drafter().drafted(always, count: 8).block.passes == 1)
    let ends = Self.make(DimplePolicy.self, ["threshold": 1, "fallback": 0])
    #expect(Self.drafter().drafted(ends, count: 8).block.passes == 1)
  }

  @Test func `a left run ends at the first doubt`() {
    let policy = Self.make(LeftRunPolicy.self, ["threshold": 0.5])
    let (block, fixed) = Self.drafter([0.9, 0.8, 0.3, 0.99]).drafted(policy, count: 4)
    #expect(fixed == [[0, 1]] && block.passes == 2 && policy.fixesLeftRuns)
    #expect(block.fixedAfter == [1, 1, 2, 2])
    #expect(Self.drafter([0.1, 0.99]).drafted(policy, count: 2).block.passes == 1)
  }

  @Test func `LocalLeap's set grows with its radius and its lower threshold`() {
    let certainty: (Int) -> Float = { Self.mixed[$0] }
    let all = Array(0..<8)
    func places(_ radius: Double, _ low: Double, high: Double = 0.9) -> Set<Int> {
      Set(
        Self.make(LocalLeapPolicy.self, ["radius": radius, "low": low, "high": high])
          .places(of: all, certainty: certainty))
    }
    #expect(places(0, 0.1) == [2, 4] && places(4, 0.9) == [2, 4])
    #expect(places(0, 0.1, high: 1.5) == [2])
    for radius in 0..<6 {
      for low in [0.2, 0.4, 0.6, 0.8] {
        #expect(places(Double(radius), low).isSubset(of: places(Double(radius + 1), low)))
        #expect(places(Double(radius), low).isSubset(of: places(Double(radius), low - 0.1)))
      }
    }
    let left = Self.make(LocalLeapPolicy.self, ["low": 0.3, "radius": 1, "left": 1])
    #expect(left.places(of: all, certainty: certainty) == [2, 3, 4])
  }

  // MARK: Votes

  @Test func `credit decides as if every logit had been changed`() {
    var random = SplitMix(seed: 4)
    for _ in 0..<50 {
      let logits = (0..<40).map { _ in Float.random(in: -4...4, using: &random) }
      let row = logits.withUnsafeBufferPointer {
        $0.baseAddress.map { RowDistribution($0, count: 40, keepsLogits: true) }
      }
      guard let row else { continue }
      let credit = Dictionary(
        (0..<4).map { _ in
          (Token.random(in: 0..<40, using: &random), Float.random(in: 0...8, using: &random))
        }, uniquingKeysWith: +)
      let dense = logits.indices.map { exp(logits[$0]) * pow(1 + (credit[Token($0)] ?? 0), 0.7) }
      let best = dense.indices.max { dense[$0] < dense[$1] } ?? 0
      let fused = CreditPolicy.fused(row, credit, fusion: 0.7)
      #expect(fused.token == Token(best))
      #expect(abs(fused.probability - dense[best] / dense.reduce(0, +)) < 1e-5)
      // After one pass only the most probable token has credit, which changes no order.
      #expect(CreditPolicy.fused(row, [row.token: 5], fusion: 0.7).token == row.token)
    }
  }

  @Test func `credit of a position goes when text stands there`() {
    func policy() -> CreditPolicy {
      var policy = Self.make(CreditPolicy.self, ["across": 0.3, "skip": 0])
      var round = DenoisingRound()
      round.position = 10
      let block = Self.drafter().draft(&policy, count: 6, round: round).block
      #expect(block.passes == 1)
      policy.observe(DenoisingVerdict(block: block, round: round, text: [100, 7][...]))
      return policy
    }
    var credited = policy()
    #expect(abs(credited.credit(position: 12, token: 102) - 0.3 * pow(0.97, 0.2)) < 1e-4)
    #expect(
      credited.credit(position: 10, token: 100) == 0
        && credited.credit(position: 11, token: 101) == 0)
    var round = DenoisingRound()
    round.position = 13
    let biases = credited.begin(round).biases
    #expect(credited.credit(position: 12, token: 102) == 0)
    #expect(biases.map(\.place) == [0, 1, 2] && biases.map(\.token) == [103, 104, 105])
    var again = policy()
    let repeated = again.begin(round).biases
    #expect(repeated == biases)
  }

  // MARK: Exits

  @Test func `SchED's threshold falls from high to low`() {
    for curve in [ExitThreshold.Curve.linear, .cosine, .exponential] {
      let threshold = ExitThreshold(high: 7.5, low: 2.5, curve: curve, rate: 4)
      #expect(abs(threshold(0) - 7.5) < 1e-9)
      let end = curve == .exponential ? 2.5 + 5 * exp(-4.0) : 2.5
      #expect(abs(threshold(1) - end) < 1e-9)
      let values = (0...50).map { threshold(Double($0) / 50) }
      #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
    }
    let thirds = ExitThreshold(high: 0, low: 0, curve: .thirds, rate: 0)
    #expect([0, 0.5, 0.9].map { thirds($0) } == [7.5, 5, 2.5])
    let threshold = ExitThreshold(high: 4, low: 1, curve: .linear, rate: 0)
    #expect(
      threshold.exits([(3, 1), (5, 1)], progress: 0)
        && !threshold.exits([(3, 1), (4, 1)], progress: 0))
    #expect(threshold.exits([], progress: 0))
  }

  @Test func `SchED ends sooner the surer it is, and not at once where it wants to be stable`() {
    func passes(_ certainty: Float, stable: Double = 0) -> Int {
      let policy = Self.make(SchedulePolicy.self, ["steps": 4, "curve": 0, "stable": stable])
      return Self.drafter([certainty]).drafted(policy, count: 8).block.passes
    }
    let counts = [0.01, 0.1, 0.5, 0.99, 0.99999].map { passes(Float($0)) }
    #expect(counts == counts.sorted(by: >) && counts.first == 4 && counts.last == 1)
    #expect(passes(0.99999, stable: 1) == 2)
  }

  // MARK: Structure

  @Test func `what the hierarchy fixes below its high threshold stands apart`() {
    var random = SplitMix(seed: 9)
    for _ in 0..<100 {
      let certainties = (0..<16).map { _ in Float.random(in: 0...1, using: &random) }
      let policy = Self.make(HierarchyPolicy.self)
      let places = policy.places(of: Array(0..<16)) { certainties[$0] }
        .filter { certainties[$0] <= 0.8 }
      #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 > 1 })
    }
    let policy = Self.make(HierarchyPolicy.self, ["low": 0])
    for count in [1, 3, 7, 15] {
      // Surest in the middle of every run.
      let middle = FakeDrafter(certainty: { place, _ in
        let size = count + 1
        var step = size / 2
        var level: Float = 0.7
        while step > 0, (place + 1) % step != 0 || (place + 1) / step % 2 == 0 {
          step /= 2
          level -= 0.1
        }
        return level
      })
      let passes = middle.drafted(policy, count: count).block.passes
      #expect(1 << passes == count + 1)
    }
    #expect(Self.drafter().drafted(policy, count: 8).block.passes <= 8)
  }

  @Test func `the hierarchy masks doubtful drafts again, and ends`() {
    let policy = Self.make(HierarchyPolicy.self, ["remask": 1, "low": 0.5, "high": 0.95])
    // The first draft is doubtful once others stand.
    let drafter = FakeDrafter(certainty: { place, block in
      block.passes < 2 ? (place == 0 ? 0.6 : 0.55) : 0.3
    })
    let (block, _) = drafter.drafted(policy, count: 8)
    #expect(!block.isOpen && block.drafts.allSatisfy { $0 != nil } && block.passes <= 20)
  }

  @Test func `schedules vote, the smallest sub-blocks winning ties`() {
    #expect(SchedulesPolicy.vote([[1, 2], [3, 4], [3, 4]]) == 1)
    #expect(
      SchedulesPolicy.vote([[1, 2], [3, 4]]) == 0 && SchedulesPolicy.vote([[1], [1]]) == 0)
    let policy = Self.make(SchedulesPolicy.self, ["schedules": 3])
    // Each schedule says something else of the last place.
    let drafter = FakeDrafter(
      certainty: { _, _ in 0.5 },
      token: { place, block in Token(100 + place + (place == 3 ? 10 * block.meter.chains : 0)) })
    let block = drafter.drafted(policy, count: 4).block
    #expect(block.meter.chains == 3 && block.chains.count == 2)
    #expect(block.drafts == [100, 101, 102, 113])
    #expect(block.chains.map(\.tokens) == [[100, 101, 102, 123], [100, 101, 102, 133]])
  }

  @Test func `a delimiter ends the width, the surest of several`() {
    func width(_ rows: [(Token, Float)], threshold: Float = 0.3, usual: Int = 5) -> Int {
      DelimiterPolicy.width(
        rows.map { ($0.0, $0.1) }, delimiters: [1], threshold: threshold, usual: usual)
    }
    let rows: [(Token, Float)] = [(5, 0.9), (1, 0.4), (6, 0.9), (1, 0.8), (7, 0.9)]
    #expect(width(rows) == 4 && width(rows, threshold: 1.1) == 5 && width(rows, usual: 3) == 3)
    #expect(width([(5, 0.9), (1, 0.4), (6, 0.9)]) == 2 && width([(5, 1)]) == 5)
    let policy = Self.make(DelimiterPolicy.self)
    var round = DenoisingRound()
    round.lineEnds = [102]
    #expect(Self.drafter().drafted(policy, count: 8, round: round).block.width == 3)
  }

  @Test func `a hopeless mask gets room once, and drafts keep their tokens`() {
    let policy = Self.make(InsertionPolicy.self, ["high": 0.8])
    let drafter = FakeDrafter(
      certainty: { place, _ in [0.5, 0.05, 0.9, 0.4][place] },
      token: { place, block in Token(100 + 10 * block.passes + place) })
    var block = DenoisedBlock(capacity: 4)
    let (done, _) = drafter.drafted(policy, count: 4)
    #expect(done.drafts.count == 4)
    // The draft that was sure in the first pass has moved by one.
    #expect(done.drafts[3] == 112 && done.fixedAfter[3] == 1)
    let certain = Self.make(InsertionPolicy.self, ["high": 0.8, "end": 0.01, "window": 1])
    var round = DenoisingRound()
    round.ends = [113, 123, 133, 143]
    #expect(drafter.drafted(certain, count: 4, round: round).block.drafts[2] == 112)
    block.begin(anchor: 1, count: 3)
    for place in 0..<3 {
      block.propose(place == 0 ? 8 : 2, confidence: 1, at: place)
      block.see(FakeDrafter.row(place == 0 ? 8 : 2, 1), at: place)
    }
    #expect(InsertionPolicy.endCertainty(block, ends: [], window: 2) == 0)
    #expect(abs(InsertionPolicy.endCertainty(block, ends: [2], window: 2) - 1) < 1e-6)
    #expect(abs(InsertionPolicy.endCertainty(block, ends: [2], window: 4) - 0.5) < 1e-6)
  }

  // MARK: Extension

  @Test func `a sure block goes on to the most, a doubtful one not at all`() {
    let policy = Self.make(ExtensionPolicy.self, ["rows": 4, "most": 14])
    var sure = Self.drafter([0.9])
    (sure.capacity, sure.limits.spare) = (4, 100)
    let (block, _) = sure.drafted(policy, count: 4)
    #expect(block.drafts.count == 14 && block.passes == 4 && block.base == 12)
    #expect(block.drafts == (0..<14).map { Token(100 + $0) } && block.fixedAfter[0] == 1)
    sure.limits.spare = 5
    #expect(sure.drafted(policy, count: 4).block.drafts.count == 9)
    var doubtful = Self.drafter([0.9, 0.4])
    (doubtful.capacity, doubtful.limits.spare) = (4, 100)
    #expect(doubtful.drafted(policy, count: 4).block.passes == 1)
    let costs = UsualCosts()
    let pays = stride(from: 0.0, through: 1, by: 0.05).map {
      policy.pays(survival: $0, drafts: 7, more: 7, costs)
    }
    #expect(pays.first == false && pays.last == true)
    #expect(pays == pays.sorted { !$0 && $1 })
  }
}
