/// Chooses each round's draft length for the highest expected rate, and learns from each round.
///
/// Two ways of decoding compete: plain steps, and the best draft length of at least 1. The better
/// one runs. The other is *probed* now and then, so that neither a bad phase of the drafter nor a
/// wrong first measurement decides for ever: a small share of all time goes into a purse, and a
/// probe is made when the purse holds what the probe is expected to lose.
public struct AdaptiveDraftLength: Sendable, Equatable {
  /// The costs, corrected by every round.
  public private(set) var cost: CostModel
  /// The chances by place.
  public private(set) var survival = SurvivalEstimator()
  /// What confidences are worth.
  public private(set) var calibration = ConfidenceCalibration()

  /// Share of the time that probes may lose.
  private static let probeShare = 0.015
  /// Rounds between probes, at least.
  private static let probeInterval = 12

  private var purse = 0.0
  private var roundsSinceProbe = 0
  /// `a_1 …` of the round that is planned: scratch.
  private var chances: [Double] = []

  /// Starts from measured costs.
  public init(_ cost: CostModel) { self.cost = cost }

  /// The number of drafts to propose in the next round; 0 for a plain step.
  ///
  /// - Parameter limit: the most drafts this round can use.
  public mutating func draftCount(limit: Int) -> Int {
    guard limit > 0 else { return 0 }
    survival.survival(limit, into: &chances)
    let plain = cost.rate(0, survival: chances)
    let best = cost.bestLength(survival: chances)
    roundsSinceProbe += 1
    let (better, other) = best.rate > plain ? (best.count, 0) : (0, best.count)
    let loss = expectedLoss(of: other, against: max(best.rate, plain))
    guard roundsSinceProbe > Self.probeInterval, purse >= loss else { return better }
    purse -= loss
    roundsSinceProbe = 0
    return other
  }

  /// How many of the proposed drafts to verify, by the drafter's own confidences.
  ///
  /// - Parameter confidences: top-1 probabilities, one for each draft; not empty.
  public mutating func verifiedCount(confidences: [Float]) -> Int {
    chances.removeAll(keepingCapacity: true)
    var product = 1.0
    for confidence in confidences {
      product *= calibration.acceptance(confidence)
      chances.append(product)
    }
    return cost.verifiedCount(survival: chances)
  }

  /// Learns from one round.
  ///
  /// - Parameters:
  ///   - drafted: drafts proposed.
  ///   - verified: drafts verified.
  ///   - accepted: drafts accepted.
  ///   - confidences: of the drafts; empty if the source has none.
  ///   - draftSeconds: time of drafting; `nil` if it was not a usual one (a backlog was projected).
  ///   - verifySeconds: time of the round without drafting.
  public mutating func record(
    drafted: Int, verified: Int, accepted: Int, confidences: [Float], draftSeconds: Double?,
    verifySeconds: Double
  ) {
    cost.verify.record(width: verified + 1, seconds: verifySeconds)
    if drafted > 0, let draftSeconds { cost.draft.record(width: drafted, seconds: draftSeconds) }
    survival.record(verified: verified, accepted: accepted)
    for place in 0..<min(verified, accepted + 1, confidences.count) {
      calibration.record(confidences[place], accepted: place < accepted)
    }
    let time = verifySeconds + (draftSeconds ?? 0)
    let cap = 4 * (cost.verify(1) + cost.draft(1))
    purse = min(purse + Self.probeShare * time, cap)
  }

  /// Seconds that a round with `count` drafts is expected to lose against the better way.
  private func expectedLoss(of count: Int, against rate: Double) -> Double {
    let time = (count > 0 ? cost.draft(count) : 0) + cost.verify(count + 1)
    return max(0, time - cost.expectedTokens(count, chances) / rate)
  }
}
