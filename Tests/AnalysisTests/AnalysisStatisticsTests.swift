import Analysis
import Foundation
import TestSupport
import Testing

/// Statistics on data whose answers are known.
@Suite struct AnalysisStatisticsTests {
  /// A standard normal number.
  private func normal(_ random: inout RandomNumbers) -> Double {
    let radius = sqrt(-2 * log(Double.random(in: 1e-12..<1, using: &random)))
    return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
  }

  /// The interval holds the true ratio about as often as it says, and narrows as √n.
  @Test func intervalsCoverTheTruth() throws {
    var random = RandomNumbers(seed: 3)
    var hits = 0
    var widths: [Int: Double] = [:]
    for count in [30, 120] {
      for trial in 0..<150 {
        let terms = (0..<count).map { _ -> (Double, Double) in
          let weight = Double.random(in: 1...3, using: &random)
          return (weight * (2 + 0.5 * normal(&random)), weight)
        }
        let interval = try #require(
          Bootstrap(samples: 300, seed: UInt64(trial)).interval(ofRatio: terms))
        #expect(interval.low < interval.high)
        if interval.low <= 2 && 2 <= interval.high { hits += 1 }
        widths[count, default: 0] += (interval.high - interval.low) / 150
      }
    }
    // 95 % of 300, give or take four standard deviations of a binomial, and a little for bias.
    #expect((265...298).contains(hits), "\(hits) of 300")
    let shrinking = try #require(widths[30]) / #require(widths[120])
    #expect((1.7...2.3).contains(shrinking), "\(shrinking)")
  }

  @Test func intervalsNeedTwoPromptsAndRepeatThemselves() throws {
    #expect(Bootstrap().interval(ofRatio: [(3, 2)]) == nil)
    #expect(Bootstrap().interval(ofRatio: []) == nil)
    let terms = [(3.0, 2.0), (5, 2), (1, 1)]
    #expect(Bootstrap().interval(ofRatio: terms) == Bootstrap().interval(ofRatio: terms))
    let same = try #require(Bootstrap().interval(ofRatio: [(4, 2), (6, 3), (2, 1)]))
    #expect(same.low == 2 && same.high == 2)
  }

  /// A difference of 5 % in noise of 10 % is found on 60 prompts, and none where there is none.
  @Test func pairsTellRealDifferencesFromNoise() {
    var random = RandomNumbers(seed: 4)
    var (found, falselyFound) = (0, 0)
    for trial in 0..<60 {
      func prompts(_ factor: Double) -> [(amount: Double, cost: Double)] {
        // Prompts differ by a factor of five, configurations by a few percent.
        var own = RandomNumbers(seed: UInt64(trial))
        return (0..<60).map { _ in
          let seconds = Double.random(in: 1...5, using: &own)
          return (100, seconds * exp(0.1 * normal(&random)) / factor)
        }
      }
      let bootstrap = Bootstrap(samples: 200)
      let real = PairedComparison(prompts(1), prompts(1.08), bootstrap: bootstrap)
      let none = PairedComparison(prompts(1), prompts(1), bootstrap: bootstrap)
      if real.pValue < 0.05 { found += 1 }
      if none.pValue < 0.05 { falselyFound += 1 }
      #expect(real.prompts == 60 && abs(real.ratio - 1.08) < 0.12)
    }
    #expect(found >= 54, "\(found) of 60 found")
    #expect(falselyFound <= 9, "\(falselyFound) of 60 found where nothing was")
  }

  /// With few prompts every pattern of signs is tried: p is a known fraction.
  @Test func smallSamplesAreExact() {
    let slow: [(amount: Double, cost: Double)] = [(10, 2), (10, 3), (10, 4), (10, 5)]
    let fast = slow.map { (amount: $0.amount, cost: $0.cost / 2) }
    let comparison = PairedComparison(slow, fast)
    #expect(comparison.ratio == 2 && comparison.wins == 4)
    #expect(comparison.pValue == 2.0 / 16)
    let same = PairedComparison(slow, slow)
    #expect(same.ratio == 1 && same.pValue == 1 && same.wins == 0)
    let empty = PairedComparison([], [])
    #expect(empty.prompts == 0 && empty.pValue == 1 && empty.interval == nil)
    // A pair without time has no rate.
    #expect(PairedComparison([(1, 0), (1, 1)], [(1, 1), (1, 1)]).prompts == 1)
  }

  @Test func manyComparisonsAreCorrected() {
    let corrected = PairedComparison.holm([0.01, 0.04, 0.03, 0.005])
    let expected = [0.03, 0.06, 0.06, 0.02]
    for (value, wanted) in zip(corrected, expected) { #expect(abs(value - wanted) < 1e-12) }
    #expect(PairedComparison.holm([0.9, 0.8]) == [1, 1])
    #expect(PairedComparison.holm([]).isEmpty)
  }

  /// Confidences that are right have no calibration error; ones that are 0.2 too high have 0.2.
  @Test func calibrationErrorsAreFound() {
    var random = RandomNumbers(seed: 5)
    var (honest, boastful) = (Reliability(), Reliability())
    for _ in 0..<40_000 {
      let chance = Double.random(in: 0..<0.8, using: &random)
      let accepted = Double.random(in: 0..<1, using: &random) < chance
      honest.add(chance, accepted: accepted)
      boastful.add(chance + 0.2, accepted: accepted)
    }
    #expect(honest.error < 0.02 && abs(boastful.error - 0.2) < 0.02)
    #expect(honest.count == 40_000 && honest.bins[9].count == 0)
    #expect(Reliability().error == 0)
    var edges = Reliability()
    edges.add(1, accepted: true)
    edges.add(0, accepted: false)
    edges.add(7, accepted: true)
    #expect(edges.bins[9].count == 2 && edges.bins[0].count == 1 && edges.error == 0)
  }
}
