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
