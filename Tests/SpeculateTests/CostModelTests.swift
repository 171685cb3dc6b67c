import Foundation
import Speculate
import TestSupport
import Testing

@Suite struct CostModelTests {
  /// Rows cost nothing up to 8 and in proportion from there; a draft pass costs a fifth.
  static let model = CostModel(
    verify: PassTimes([(1, 1), (8, 1), (16, 2), (32, 4)]),
    draft: PassTimes([(1, 0.2), (31, 0.2)]))

  static func survival(_ rate: Double, _ count: Int) -> [Double] {
    (1...count).map { pow(rate, Double($0)) }
  }

  @Test func theLengthFollowsAcceptance() {
    func count(_ chances: [Double]) -> Int {
      let budget = DraftBudget(Self.model)
      budget.share([DraftOffer(model: chances)], rows: 32)
      return budget.counts[0]
    }
    #expect(count(Self.survival(0.3, 31)) == 7)
    #expect(count(Self.survival(0.99, 31)) > 7)
    #expect(count([Double](repeating: 1, count: 31)) == 31)
    #expect(count([0.5]) == 1)
    // Plain steps are the comparison.
    #expect(count(Self.survival(0.1, 31)) == 0)
  }

  @Test func unlikelyDraftsAreCut() {
    let sharp = CostModel(
      verify: PassTimes([(1, 1), (32, 10)]), draft: PassTimes([(1, 0.1), (31, 0.1)]))
    #expect(sharp.nodeCount(chances: [0.95, 0.9, 0.85, 0.05, 0.01], drafted: 5).count == 3)
    #expect(sharp.nodeCount(chances: [0.01, 0.001], drafted: 2).count == 0)
    #expect(sharp.nodeCount(chances: [1, 1, 1], drafted: 3).count == 3)
  }

  @Test func survivalIsLearnedByPlace() {
    var estimator = SurvivalEstimator()
    #expect(abs(estimator.conditional(0) - 0.7) < 1e-9)
    #expect(abs(estimator.conditional(9) - 0.7) < 1e-9)
    var random = RandomNumbers(seed: 2)
    let rates = [0.9, 0.5, 0.8]
    for _ in 0..<2000 {
      let accepted =
        rates.firstIndex { Double.random(in: 0..<1, using: &random) >= $0 } ?? rates.count
      for place in 0..<min(3, accepted + 1) {
        estimator.record(place: place, accepted: place < accepted)
      }
    }
    for (place, rate) in rates.enumerated() {
      #expect(abs(estimator.conditional(place) - rate) < 0.15)
    }
    var survival: [Double] = []
    estimator.survival(5, into: &survival)
    #expect(survival.count == 5 && abs(survival[2] - 0.36) < 0.15)
    #expect(zip(survival, survival.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test func confidencesAreCalibrated() {
    var calibration = ConfidenceCalibration()
    #expect(calibration.acceptance(0.5) == 0.5)
    #expect(calibration.acceptance(.nan) >= 0 && calibration.acceptance(2) <= 1)
    for index in 0..<500 { calibration.record(0.9, accepted: index % 2 == 0) }
    #expect(abs(calibration.acceptance(0.9) - 0.5) < 0.05)
    #expect(calibration.acceptance(0.1) == Double(Float(0.1)))
  }
}
