package import Speculate

/// Which drafts were accepted: what decoding counts, made of a trace, and what only traces tell.
///
/// Places count from 0 for the draft after the anchor. A draft behind an end of output was never
/// judged and counts at no place. In a tree, a place is a depth, and it is accepted when one of its
/// drafts is.
package struct AcceptanceCounts: Sendable, Equatable {
  package private(set) var statistics = GenerationStatistics()
  /// Rounds in which all drafts before a judged place were accepted: [place].
  package private(set) var reachedByPlace: [Int] = []
  /// Rounds in which every draft was accepted, by how many: [accepted].
  package private(set) var wholeBlocks: [Int] = []

  package init() {}

  package init(_ generation: TracedGeneration) {
    for (index, round) in generation.rounds.enumerated() {
      add(round, ended: generation.isCut(index))
    }
  }

  /// Counts one round.
  ///
  /// - Parameter ended: whether the output ended among its drafts.
  package mutating func add(_ round: RoundRecord, ended: Bool) {
    statistics.countRound(
      drafted: round.drafted, verified: round.drafts.count, accepted: round.accepted,
      emitted: round.tokens.count, ended: ended, depth: round.depth)
    guard !round.drafts.isEmpty else { return }
    let judged = ended ? min(round.depth, round.tokens.count) : round.depth
    reachedByPlace.grow(to: judged)
    for place in 0..<min(judged, round.accepted + 1) { reachedByPlace[place] += 1 }
    wholeBlocks.grow(to: round.accepted + 1)
    if round.accepted == round.depth { wholeBlocks[round.accepted] += 1 }
  }

  package static func += (sum: inout Self, other: Self) {
    sum.statistics += other.statistics
    sum.reachedByPlace.add(other.reachedByPlace)
    sum.wholeBlocks.add(other.wholeBlocks)
  }

  /// Rounds that verified drafts.
  package var draftRounds: Int { statistics.rounds - statistics.plainRounds }

  /// Tokens per target pass over the rounds that verified drafts, so that the plain rounds of an
  /// adaptive length, which bring a token each, do not count.
  package var blockEfficiency: Double {
    GenerationStatistics.ratio(statistics.emittedTokens - statistics.plainRounds, draftRounds)
  }

  /// The share of drafts at a place that were accepted once all before were: [place].
  package var conditionalRateByPlace: [Double] {
    zip(statistics.acceptedByPlace, reachedByPlace).map { GenerationStatistics.ratio($0, $1) }
  }

  /// The chance that at least `place + 1` drafts are accepted, if that many are verified: [place].
  ///
  /// The product of the conditional rates (Kaplan and Meier 1958), so that blocks that were cut
  /// short count as far as they went.
  package var survival: [Double] {
    var product = 1.0
    return conditionalRateByPlace.map {
      product *= $0
      return product
    }
  }
}
