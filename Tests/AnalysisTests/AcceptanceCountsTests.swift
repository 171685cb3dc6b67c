import Analysis
import Files
import Speculate
import Testing

/// Acceptance counted from rounds.
@Suite struct AcceptanceCountsTests {
  static func round(
    _ position: Int, drafts: [Token], accepted: Int, emitted: Int, parents: [Int] = []
  ) -> RoundRecord {
    let tokens =
      Array(drafts.prefix(accepted)) + (emitted > accepted ? [Token(99)] : [])
    return RoundRecord(
      position: position, origin: drafts.isEmpty ? nil : .drafter, drafted: drafts.count,
      drafts: drafts, parents: parents, tokens: tokens,
      probabilities: tokens.map { _ in 0.5 }, accepted: accepted, rows: drafts.count + 1,
      seconds: .init(verify: 1, sampling: 0, other: 0))
  }

  static var generation: TracedGeneration {
    TracedGeneration(
      promptTokens: 5,
      rounds: [
        round(5, drafts: [1, 2, 3], accepted: 2, emitted: 3),
        round(8, drafts: [], accepted: 0, emitted: 1),
        round(9, drafts: [1, 2, 3, 4], accepted: 0, emitted: 1),
        round(10, drafts: [7], accepted: 1, emitted: 2),
        // The second draft ended the output, so that the other two were never judged.
        round(12, drafts: [1, 2, 3, 4], accepted: 2, emitted: 2),
      ], finishReason: .endToken, prefillSeconds: 0)
  }

  @Test func roundsAreCounted() {
    let counts = AcceptanceCounts(Self.generation)
    let statistics = counts.statistics
    #expect(statistics.rounds == 5 && statistics.emittedTokens == 9 && counts.draftRounds == 4)
    #expect(statistics.verifiedTokens == 12 && statistics.acceptedTokens == 5)
    #expect(statistics.verifiedByPlace == [4, 3, 2, 1])
    #expect(counts.reachedByPlace == [4, 2, 1, 0])
    #expect(statistics.acceptedByPlace == [3, 2, 0, 0])
    #expect(statistics.acceptanceHistogram == [1, 1, 2] && counts.wholeBlocks == [0, 1, 0])
    #expect(statistics.tau == 9.0 / 5 && counts.blockEfficiency == 2)
    #expect(statistics.acceptanceRate == 5.0 / 12)
    #expect(statistics.acceptanceRateByPlace == [0.75, 2.0 / 3, 0, 0])
    #expect(counts.conditionalRateByPlace == [0.75, 1, 0, 0])
    #expect(counts.survival == [0.75, 0.75, 0, 0])
    var twice = counts
    twice += counts
    #expect(twice.statistics.tau == statistics.tau)
    #expect(twice.statistics.acceptanceHistogram == [2, 2, 4])
  }

  /// Only a caller that stops ends no block.
  @Test func stopStringsEndBlocks() {
    var generation = Self.generation
    for reason in [FinishReason.stopString, .length, .context] {
      generation.finishReason = reason
      #expect(AcceptanceCounts(generation).statistics.verifiedByPlace == [4, 3, 2, 1])
    }
    generation.finishReason = .cancelled
    #expect(AcceptanceCounts(generation).statistics.verifiedByPlace == [4, 3, 3, 2])
  }

  /// In a tree, places are depths.
  @Test func treesCountByDepth() {
    // Two children of the anchor, the second with one child, which has one.
    let tree = Self.round(
      5, drafts: [1, 2, 3, 4], accepted: 0, emitted: 1, parents: [-1, -1, 1, 2])
    #expect(tree.depth == 3 && tree.inconsistency == nil)
    var counts = AcceptanceCounts()
    var walked = tree
    walked.accepted = 2
    walked.tokens = [2, 3, 99]
    walked.probabilities = [0.5, 0.5, 0.5]
    #expect(walked.inconsistency == nil)
    counts.add(walked, ended: false)
    #expect(counts.statistics.verifiedByPlace == [1, 1, 1])
    #expect(counts.statistics.acceptedByPlace == [1, 1, 0])
    walked.tokens = [1, 3, 99]
    #expect(walked.inconsistency == "the accepted drafts are not the tokens")
    walked.parents = [-1, 1, 0, 0]
    #expect(walked.inconsistency == "the parents of the drafts make no tree")
  }

  @Test func contradictionsAreFound() {
    #expect(Self.generation.inconsistency == nil)
    func problem(_ change: (inout TracedGeneration) -> Void) -> String? {
      var generation = Self.generation
      change(&generation)
      return generation.inconsistency
    }
    #expect(problem { $0.rounds.remove(at: 1) } == "round 2 starts at position 9, not at 8")
    #expect(
      problem { $0.rounds[0].accepted = 3 } == "round 1: the accepted drafts are not the tokens")
    #expect(
      problem { $0.rounds[0].accepted = 9 }
        == "round 1: 9 of 3 drafts accepted, but 3 tokens")
    #expect(
      problem { $0.rounds[2].probabilities = [] } == "round 3: 0 probabilities for 1 tokens")
    #expect(
      problem { $0.rounds[0].confidences = [0.5] } == "round 1: 1 confidences for 3 drafts")
    #expect(
      problem { $0.rounds[0].probabilities[0] = 1.5 } == "round 1: a probability outside 0 to 1")
    #expect(problem { $0.rounds[0].seconds.verify = -1 } == "round 1: a time below 0")
    #expect(problem { $0.rounds[0].drafted = 1 } == "round 1: 3 drafts verified of 1")
    #expect(problem { $0.rounds[0].tokens = [] } == "round 1: it has no token")
    #expect(problem { $0.rounds[0].rows = 0 } == "round 1: 0 rows")
  }

  @Test func rejectionsAreExplained() {
    var rounds = Self.generation.rounds
    rounds[0].rejection = .init(
      probability: 0.1,
      draft: [.init(token: 3, probability: 0.9), .init(token: 99, probability: 0.1)],
      target: [])
    rounds[0].probabilities[2] = 0.9
    rounds[2].rejection = .init(
      probability: 0.1, draft: [.init(token: 1, probability: 0.9)], target: [])
    rounds[2].probabilities[0] = 0.2
    let counts = RejectionCounts(rounds)
    #expect(counts.all == 2 && counts.total == 2 && counts.unsure == 1)
    #expect(counts.byRank == [0, 1] && counts.elsewhere == 1)
  }
}
