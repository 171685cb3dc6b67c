package import Speculate

/// Which drafts were accepted, in counts that add up: what acceptance curves, histograms and
/// calibration are derived from.
///
/// Places count from 0 for the draft after the anchor. A draft behind an end of output was never
/// judged and counts nowhere. In a tree, a place is a depth, and it is accepted when one of its
/// drafts is.
package struct AcceptanceCounts: Sendable, Equatable {
  /// Rounds, each one target pass.
  package var rounds = 0
  package var tokens = 0
  /// Rounds that verified drafts.
  package var draftRounds = 0
  /// Tokens that these committed.
  package var draftRoundTokens = 0
  package var verified = 0
  package var accepted = 0
  /// Rows of all target passes.
  package var rows = 0
  /// Rounds in which a draft at the place was judged: [place].
  package var judgedByPlace: [Int] = []
  /// Of these, rounds in which all drafts before the place were accepted: [place].
  package var reachedByPlace: [Int] = []
  /// Of these, rounds in which the draft at the place was accepted, too: [place].
  package var acceptedByPlace: [Int] = []
  /// Rounds with drafts by how many were accepted: [accepted].
  package var histogram: [Int] = []
  /// Of these, rounds in which every draft was accepted: [accepted].
  package var wholeBlocks: [Int] = []

  package init() {}

  package init(_ generation: TracedGeneration) {
    for (index, round) in generation.rounds.enumerated() {
      add(round, judged: generation.judged(index))
    }
  }

  package mutating func add(_ round: RoundRecord, judged: Int) {
    rounds += 1
    tokens += round.tokens.count
    rows += round.rows
    guard !round.drafts.isEmpty else { return }
    draftRounds += 1
    draftRoundTokens += round.tokens.count
    verified += round.drafts.count
    accepted += round.accepted
    let places = round.parents.isEmpty ? judged : min(round.depth, judged)
    Self.grow(&judgedByPlace, to: places)
    Self.grow(&reachedByPlace, to: places)
    Self.grow(&acceptedByPlace, to: places)
    for place in 0..<places {
      judgedByPlace[place] += 1
      if place <= round.accepted { reachedByPlace[place] += 1 }
      if place < round.accepted { acceptedByPlace[place] += 1 }
    }
    Self.grow(&histogram, to: round.accepted + 1)
    Self.grow(&wholeBlocks, to: round.accepted + 1)
    histogram[round.accepted] += 1
    if round.accepted == round.depth { wholeBlocks[round.accepted] += 1 }
  }

  package static func += (sum: inout Self, other: Self) {
    sum.rounds += other.rounds
    sum.tokens += other.tokens
    sum.draftRounds += other.draftRounds
    sum.draftRoundTokens += other.draftRoundTokens
    sum.verified += other.verified
    sum.accepted += other.accepted
    sum.rows += other.rows
    add(&sum.judgedByPlace, other.judgedByPlace)
    add(&sum.reachedByPlace, other.reachedByPlace)
    add(&sum.acceptedByPlace, other.acceptedByPlace)
    add(&sum.histogram, other.histogram)
    add(&sum.wholeBlocks, other.wholeBlocks)
  }

  private static func grow(_ counts: inout [Int], to count: Int) {
    while counts.count < count { counts.append(0) }
  }

  private static func add(_ sum: inout [Int], _ other: [Int]) {
    grow(&sum, to: other.count)
    for index in other.indices { sum[index] += other[index] }
  }
}

/// Rates, under the field's names. Each is 0 where there is nothing to divide by.
extension AcceptanceCounts {
  /// Mean acceptance length τ, the bonus token included: tokens per target pass.
  package var tau: Double { Self.ratio(tokens, rounds) }

  /// Tokens per target pass over the rounds that verified drafts, so that the plain rounds of an
  /// adaptive length do not count.
  package var blockEfficiency: Double { Self.ratio(draftRoundTokens, draftRounds) }

  /// Accepted drafts per verified draft.
  package var acceptanceRate: Double { Self.ratio(accepted, verified) }

  /// The share of judged drafts at a place that were accepted, whatever came before: [place].
  package var acceptanceRateByPlace: [Double] {
    zip(acceptedByPlace, judgedByPlace).map { Self.ratio($0, $1) }
  }

  /// The share of drafts at a place that were accepted once all before were: [place].
  package var conditionalRateByPlace: [Double] {
    zip(acceptedByPlace, reachedByPlace).map { Self.ratio($0, $1) }
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

  static func ratio(_ part: Int, _ whole: Int) -> Double {
    whole > 0 ? Double(part) / Double(whole) : 0
  }
}
