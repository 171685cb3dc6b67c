/// Chooses each round's draft length for the highest expected rate, and learns from each round.
///
/// Two ways of decoding compete: plain steps, and the best draft length of at least 1. The better
/// one runs. The other is *probed* now and then, so that neither a bad phase of the drafter nor a
/// wrong first measurement decides for ever: a small share of all time goes into a purse, and a
/// probe is made when the purse holds what the probe is expected to lose.
package struct AdaptiveDraftLength: Sendable, Equatable {
  /// The costs, corrected by every round.
  package private(set) var cost: CostModel
  /// How likely drafts are accepted.
  package var chances = DraftChances()

  /// Pays for trying the worse of plain steps and drafting.
  private var purse = ProbePurse(share: 0.015, interval: 12)
  /// `a_1 …` of the round that is planned: scratch.
  private var products: [Double] = []

  package init(_ cost: CostModel) { self.cost = cost }

  /// The number of drafts to propose in the next round; 0 for none.
  ///
  /// - Parameters:
  ///   - limit: the most drafts this round can use.
  ///   - rate: tokens per second expected without the drafter; `nil` for those of a plain step.
  ///   - shared: what rounds cost this sequence, if others share its passes.
  package mutating func draftCount(
    limit: Int, against rate: Double? = nil, shared: CostModel? = nil
  ) -> Int {
    guard limit > 0 else { return 0 }
    let cost = shared ?? cost
    chances.survival.survival(limit, into: &products)
    let without = max(rate ?? 0, cost.rate(0, survival: products))
    let best = cost.bestLength(survival: products)
    let (better, other) = best.rate > without ? (best.count, 0) : (0, best.count)
    let otherRate = other == 0 ? without : best.rate
    let time = (other > 0 ? cost.draft(other) : 0) + cost.verify(other + 1)
    let loss = max(0, time * (1 - otherRate / max(best.rate, without)))
    return purse.pays(loss) ? other : better
  }

  /// Learns from the times of one round.
  ///
  /// - Parameters:
  ///   - drafted: drafts proposed by a model.
  ///   - rows: rows of the target pass.
  ///   - draftSeconds: time of drafting; `nil` if it was not a usual one.
  ///   - verifySeconds: time of the round without drafting.
  ///   - sequences: that shared the round.
  package mutating func record(
    drafted: Int, rows: Int, draftSeconds: Double?, verifySeconds: Double, sequences: Int = 1
  ) {
    cost.verify.record(width: rows, seconds: verifySeconds)
    if drafted > 0, let draftSeconds { cost.draft.record(width: drafted, seconds: draftSeconds) }
    let time = (verifySeconds + (draftSeconds ?? 0)) / Double(sequences)
    purse.earn(time, cap: 4 * (cost.verify(1) + cost.draft(1)))
  }
}

/// How many drafts a round proposes and verifies. It decides speed, never the output.
package enum DraftLength: Sendable, Equatable {
  /// Always as many as this, as far as the limits of the output allow.
  case fixed(Int)
  /// As many as are expected to pay.
  case adaptive(AdaptiveDraftLength)
}

/// A small share of all time, saved up for probes: rounds that are expected to lose against the best
/// known way, but tell whether that is still so.
struct ProbePurse: Sendable, Equatable {
  private let share: Double
  private let interval: Int
  private var seconds = 0.0
  private var roundsSinceProbe = 0

  init(share: Double, interval: Int) {
    self.share = share
    self.interval = interval
  }

  /// Pays for a probe, if it can; asked at most once a round.
  mutating func pays(_ loss: Double) -> Bool {
    guard roundsSinceProbe > interval, seconds >= loss else { return false }
    seconds -= loss
    roundsSinceProbe = 0
    return true
  }

  /// Earns from a round.
  ///
  /// - Parameters:
  ///   - time: seconds of the round.
  ///   - cap: the most seconds that the purse holds.
  mutating func earn(_ time: Double, cap: Double) {
    seconds = min(seconds + share * time, cap)
    roundsSinceProbe += 1
  }
}
