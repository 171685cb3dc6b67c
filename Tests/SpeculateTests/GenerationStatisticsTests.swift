import Foundation
import Speculate
import Testing

@Suite struct GenerationStatisticsTests {
  static var example: GenerationStatistics {
    var statistics = GenerationStatistics()
    statistics.countRound(drafted: 4, verified: 3, accepted: 2, emitted: 3, ended: false)
    statistics.countRound(drafted: 0, verified: 0, accepted: 0, emitted: 1, ended: false)
    statistics.countRound(drafted: 4, verified: 4, accepted: 0, emitted: 1, ended: false)
    statistics.countRound(drafted: 4, verified: 4, accepted: 2, emitted: 2, ended: true)
    return statistics
  }

  @Test func roundsAreCounted() {
    let statistics = Self.example
    #expect(statistics.rounds == 4 && statistics.targetPasses == 4)
    #expect(statistics.plainRounds == 1 && statistics.draftPasses == 3)
    #expect(statistics.draftedTokens == 12 && statistics.verifiedTokens == 11)
    #expect(statistics.acceptedTokens == 4 && statistics.emittedTokens == 7)
    #expect(statistics.acceptanceHistogram == [1, 0, 2])
    // Drafts behind an end token were not judged.
    #expect(statistics.verifiedByPlace == [3, 3, 2, 1])
    #expect(statistics.acceptedByPlace == [2, 2, 0, 0])
    #expect(statistics.tau == 7.0 / 4)
    #expect(statistics.acceptanceRateByPlace == [2.0 / 3, 2.0 / 3, 0, 0])
  }

  @Test func ratesOfNothingAreZero() {
    let nothing = GenerationStatistics()
    #expect(nothing.tau == 0 && nothing.acceptanceRate == 0 && nothing.tokensPerSecond == 0)
    #expect(nothing.prefillTokensPerSecond == 0 && nothing.otherSeconds == 0)
  }

  @Test func sumsGrowTheHistograms() {
    var sum = Self.example
    var long = GenerationStatistics()
    long.countRound(drafted: 9, verified: 9, accepted: 9, emitted: 10, ended: false)
    long.decodeSeconds = 2
    long.verifySeconds = 1.5
    sum += long
    #expect(sum.acceptanceHistogram == [1, 0, 2, 0, 0, 0, 0, 0, 0, 1])
    #expect(sum.verifiedByPlace == [4, 4, 3, 2, 1, 1, 1, 1, 1])
    #expect(sum.emittedTokens == 17 && sum.tokensPerSecond == 8.5)
    #expect(sum.otherSeconds == 0.5)
    var other = long
    other += Self.example
    #expect(other == sum)
  }

  @Test func survivesJSON() throws {
    let data = try JSONEncoder().encode(Self.example)
    #expect(try JSONDecoder().decode(GenerationStatistics.self, from: data) == Self.example)
  }
}
