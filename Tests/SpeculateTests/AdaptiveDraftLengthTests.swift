import Foundation
import Speculate
import TestSupport
import Testing

/// Whole generations on synthetic curves: what the policy reaches against the best fixed length.
@Suite struct AdaptiveDraftLengthTests {
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
      for count in 1...AdaptiveDraftLengthTests.limit {
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

  /// Runs the policy and returns its tokens per second over `rounds` after a warm-up.
  static func run(
    _ policy: inout AdaptiveDraftLength, _ world: World, rounds: Int, skip: Int = 0,
    _ random: inout RandomNumbers
  ) -> Double {
    var tokens = 0.0
    var time = 0.0
    for index in 0..<rounds {
      let count = policy.draftCount(limit: limit)
      let (accepted, spent) = world.round(count, &random)
      let draftSeconds = count > 0 ? world.draft(count) : 0
      for place in 0..<min(count, accepted + 1) {
        policy.chances.record(.model(place: place, confidence: nil), accepted: place < accepted)
      }
      policy.record(
        drafted: count, rows: count + 1, draftSeconds: draftSeconds,
        verifySeconds: spent - draftSeconds)
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
    var policy = AdaptiveDraftLength(Self.calibrated(world))
    var random = RandomNumbers(seed: 11)
    let rate = Self.run(&policy, world, rounds: 6000, skip: 500, &random)
    #expect(rate > 0.93 * world.bestRate)
  }

  @Test(arguments: [0, 1, 2], [0.0, 0.1, 0.3])
  func isNeverMuchSlowerThanPlainDecoding(_ curve: Int, _ chance: Double) {
    let world = World(verify: Self.curves[curve], draft: { _ in 0.4 }, chance: { _ in chance })
    var policy = AdaptiveDraftLength(Self.calibrated(world))
    var random = RandomNumbers(seed: 12)
    let rate = Self.run(&policy, world, rounds: 6000, skip: 0, &random)
    #expect(rate > 0.96 / world.verify(1))
  }

  @Test func comesBackAfterABadPhase() {
    let good = World(verify: Self.curves[0], draft: { _ in 0.15 }, chance: { _ in 0.85 })
    var bad = good
    bad.chance = { _ in 0 }
    var policy = AdaptiveDraftLength(Self.calibrated(good))
    var random = RandomNumbers(seed: 13)
    let badRate = Self.run(&policy, bad, rounds: 3000, skip: 200, &random)
    #expect(badRate > 0.96 * bad.bestRate)
    let goodRate = Self.run(&policy, good, rounds: 3000, skip: 1500, &random)
    #expect(goodRate > 0.93 * good.bestRate)
  }

  /// A first measurement that flatters wide passes is found out while decoding.
  @Test func aWrongCalibrationIsCorrected() {
    let world = World(
      verify: { 0.4 + 0.6 * Double($0) }, draft: { _ in 0.3 }, chance: { _ in 0.55 })
    var wrong = Self.calibrated(world)
    wrong.verify = PassTimes([(1, 3), (32, 3)])
    var policy = AdaptiveDraftLength(wrong)
    var random = RandomNumbers(seed: 14)
    let rate = Self.run(&policy, world, rounds: 6000, skip: 2000, &random)
    #expect(rate > 0.93 * world.bestRate)
  }

  @Test func limitsAreKept() {
    var policy = AdaptiveDraftLength(CostModelTests.model)
    #expect(policy.draftCount(limit: 0) == 0)
    for limit in 1...31 { #expect((0...limit).contains(policy.draftCount(limit: limit))) }
  }
}
