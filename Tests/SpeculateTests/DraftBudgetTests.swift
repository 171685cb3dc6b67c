import Foundation
import Speculate
import TestSupport
import Testing

/// Whole generations on synthetic curves: what a budget reaches against the best fixed length, and against rounds
/// without drafts.
@Suite struct DraftBudgetTests {
  static let limit = 31

  /// A machine and a drafter, as functions.
  struct World {
    var verify: (Int) -> Double
    var draft: (Int) -> Double
    /// `c_i` at a place.
    var chance: (Int) -> Double

    func round(_ count: Int, _ random: inout RandomNumbers) -> (accepted: Int, time: Double) {
      var accepted = 0
      while accepted < count, Double.random(in: 0..<1, using: &random) < chance(accepted) {
        accepted += 1
      }
      return (accepted, (count > 0 ? draft(count) : 0) + verify(count + 1))
    }

    /// Tokens per second of the best fixed length, plain decoding included.
    var bestRate: Double {
      var tokens = 1.0
      var product = 1.0
      var best = 1 / verify(1)
      for count in 1...DraftBudgetTests.limit {
        product *= chance(count - 1)
        tokens += product
        best = max(best, tokens / (draft(count) + verify(count + 1)))
      }
      return best
    }
  }

  static let curves: [@Sendable (Int) -> Double] = [
    { 0.9 + 0.1 * Double($0) },
    { max(1, Double($0) / 8) },
    { 0.2 + 0.8 * Double($0) },
  ]

  static func calibrated(_ world: World) -> CostModel {
    CostModel(
      verify: PassTimes([1, 2, 4, 8, 16, 32].map { ($0, world.verify($0)) }),
      draft: PassTimes([1, 2, 4, 8, 16, 31].map { ($0, world.draft($0)) }))
  }

  /// Decodes one sequence and returns its tokens per second over `rounds` after a warm-up.
  static func run(
    _ budget: DraftBudget, _ chances: inout DraftChances, _ world: World, rounds: Int,
    skip: Int = 0, _ random: inout RandomNumbers
  ) -> Double {
    var tokens = 0.0
    var time = 0.0
    var survival: [Double] = []
    for index in 0..<rounds {
      chances.survival.survival(limit, into: &survival)
      budget.share([DraftOffer(model: survival)], rows: limit + 1)
      let count = budget.counts[0]
      let (accepted, spent) = world.round(count, &random)
      let draftSeconds = count > 0 ? world.draft(count) : 0
      for place in 0..<min(count, accepted + 1) {
        chances.record(.model(place: place, confidence: nil), accepted: place < accepted)
      }
      budget.record(
        RoundPrice(
          sequences: 1, rows: count + 1, drafted: count, emitted: accepted + 1,
          draftSeconds: draftSeconds, verifySeconds: spent - draftSeconds))
      if index >= skip {
        tokens += Double(accepted + 1)
        time += spent
      }
    }
    return tokens / time
  }

  @Test(arguments: [0, 1, 2], [0.0, 0.2, 0.5, 0.8, 0.95])
  func comesNearTheBestFixedLength(_ curve: Int, _ chance: Double) {
    let world = World(verify: Self.curves[curve], draft: { _ in 0.15 }, chance: { _ in chance })
    let budget = DraftBudget(Self.calibrated(world))
    var chances = DraftChances()
    var random = RandomNumbers(seed: 11)
    let rate = Self.run(budget, &chances, world, rounds: 6000, skip: 500, &random)
    #expect(rate > 0.97 * world.bestRate)
  }

  @Test(arguments: [0, 1, 2], [0.0, 0.1, 0.3])
  func isNeverMuchSlowerThanPlainDecoding(_ curve: Int, _ chance: Double) {
    let world = World(verify: Self.curves[curve], draft: { _ in 0.4 }, chance: { _ in chance })
    let budget = DraftBudget(Self.calibrated(world))
    var chances = DraftChances()
    var random = RandomNumbers(seed: 12)
    let rate = Self.run(budget, &chances, world, rounds: 6000, skip: 0, &random)
    #expect(rate > 0.985 / world.verify(1))
  }

  @Test func comesBackAfterABadPhase() {
    let good = World(verify: Self.curves[0], draft: { _ in 0.15 }, chance: { _ in 0.85 })
    var bad = good
    bad.chance = { _ in 0 }
    let budget = DraftBudget(Self.calibrated(good))
    var chances = DraftChances()
    var random = RandomNumbers(seed: 13)
    let badRate = Self.run(budget, &chances, bad, rounds: 3000, skip: 200, &random)
    #expect(badRate > 0.98 * bad.bestRate)
    let goodRate = Self.run(budget, &chances, good, rounds: 3000, skip: 1500, &random)
    #expect(goodRate > 0.96 * good.bestRate)
  }

  /// A first measurement that flatters wide passes is found out while decoding.
  @Test func aWrongCalibrationIsCorrected() {
    let world = World(
      verify: { 0.4 + 0.6 * Double($0) }, draft: { _ in 0.3 }, chance: { _ in 0.55 })
    var wrong = Self.calibrated(world)
    wrong.verify = PassTimes([(1, 3), (32, 3)])
    let budget = DraftBudget(wrong)
    var chances = DraftChances()
    var random = RandomNumbers(seed: 14)
    let rate = Self.run(budget, &chances, world, rounds: 6000, skip: 2000, &random)
    #expect(rate > 0.97 * world.bestRate)
  }

  @Test func limitsAreKept() {
    let budget = DraftBudget(CostModelTests.model)
    var random = RandomNumbers(seed: 15)
    for rows in 1...40 {
      let offers = (0..<Int.random(in: 1...rows, using: &random)).map { _ in
        DraftOffer(
          model: CostModelTests.survival(
            .random(in: 0.1...1, using: &random), .random(in: 1...31, using: &random)),
          free: CostModelTests.survival(.random(in: 0.1...1, using: &random), 5))
      }
      budget.share(offers, rows: rows)
      #expect(budget.counts.reduce(0, +) + offers.count <= rows)
      #expect(zip(budget.counts, offers).allSatisfy { 0...$1.model.count ~= $0 })
    }
    budget.share([DraftOffer()], rows: 9)
    #expect(budget.counts == [0])
  }

  @Test func theLengthIsTheBestOfAll() {
    var random = RandomNumbers(seed: 4)
    let cost = CostModelTests.model
    for _ in 0..<200 {
      var product = 1.0
      let survival = (0..<31).map { _ in
        product *= Double.random(in: 0.3...1, using: &random)
        return product
      }
      let rates = (0...31).map { count in
        (1 + survival.prefix(count).reduce(0, +))
          / ((count > 0 ? cost.draft(count) : 0) + cost.verify(count + 1))
      }
      let budget = DraftBudget(cost)
      budget.share([DraftOffer(model: survival)], rows: 32)
      #expect(abs(rates[budget.counts[0]] - rates.max()!) < 1e-9)
    }
  }

  /// Whose drafts are likely gets them, and who has free ones that are as good needs no model.
  @Test func theLikeliestOfAllDraft() {
    let cost = CostModel(
      verify: PassTimes([(1, 1), (32, 1.5)]), draft: PassTimes([(1, 0.2), (31, 0.5)]))
    let (sure, unsure) = (CostModelTests.survival(0.95, 7), CostModelTests.survival(0.05, 7))
    let budget = DraftBudget(cost)
    budget.share(
      [DraftOffer(model: sure), DraftOffer(model: unsure), DraftOffer(model: unsure, free: sure)],
      rows: 32)
    #expect(budget.counts == [7, 0, 0])
    budget.share([DraftOffer(model: unsure), DraftOffer(model: sure, free: sure)], rows: 32)
    // With all that is free there is nothing to gain from a pass.
    #expect(budget.counts == [0, 7] || budget.counts == [0, 0])
    budget.share([DraftOffer](repeating: DraftOffer(model: sure), count: 16), rows: 20)
    #expect(budget.counts.reduce(0, +) <= 4)
  }

  /// Sequences that decode together, on a machine where rows are dear.
  private func shared(
    _ sequences: Int, chance: Double, believed: Double, draft: @escaping (Int) -> Double,
    rounds: Int = 4000
  ) -> (rate: Double, plain: Double, drafted: Int) {
    let verify = { (rows: Int) in 1 + 0.1 * Double(rows) }
    let budget = DraftBudget(
      CostModel(
        verify: PassTimes([1, 8, 16, 32].map { ($0, verify($0)) }),
        draft: PassTimes([(1, 0.3), (7, 0.35)])))
    var random = RandomNumbers(seed: 16)
    var (tokens, time, draftedRounds) = (0, 0.0, 0)
    for _ in 0..<rounds {
      // Chances that never learn stand for any mistake of the expectation.
      let offer = DraftOffer(model: CostModelTests.survival(believed, 7))
      budget.share([DraftOffer](repeating: offer, count: sequences), rows: 64)
      let drafted = budget.counts.reduce(0, +)
      var emitted = sequences
      for count in budget.counts {
        var accepted = 0
        while accepted < count, Double.random(in: 0..<1, using: &random) < chance { accepted += 1 }
        emitted += accepted
      }
      let draftSeconds = drafted > 0 ? draft(drafted) : 0
      let verifySeconds = verify(sequences + drafted)
      budget.record(
        RoundPrice(
          sequences: sequences, rows: sequences + drafted, drafted: drafted, emitted: emitted,
          draftSeconds: draftSeconds, verifySeconds: verifySeconds))
      tokens += emitted
      time += draftSeconds + verifySeconds
      if drafted > 0 { draftedRounds += 1 }
    }
    return (
      Double(tokens) / time, Double(sequences) / verify(sequences), draftedRounds
    )
  }

  /// Passes for many cost what no measurement of one told, and drafts are right less often than believed.
  @Test(arguments: [1, 4, 8, 16], [0.2, 0.35, 0.5])
  func manyAreNeverMuchSlowerThanPlainDecoding(_ sequences: Int, _ chance: Double) {
    let result = shared(
      sequences, chance: chance, believed: min(1, chance + 0.25),
      draft: { 0.3 + 0.06 * Double($0) })
    #expect(result.rate > 0.975 * result.plain)
  }

  @Test func manyGainWhereDraftsPay() {
    let result = shared(8, chance: 0.85, believed: 0.85, draft: { 0.3 + 0.01 * Double($0) })
    #expect(result.rate > 1.15 * result.plain && result.drafted > 3500)
    // What was believed too little is found out.
    let doubted = shared(8, chance: 0.9, believed: 0.65, draft: { 0.3 + 0.01 * Double($0) })
    #expect(doubted.rate > 1.1 * doubted.plain)
  }
}
