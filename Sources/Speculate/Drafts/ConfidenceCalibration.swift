/// What a drafter's confidences are worth: the observed acceptance of drafts by top-1 probability.
///
/// A reliability diagram in equal bins, decayed like ``SurvivalEstimator``. A bin with few
/// observations believes the confidence itself.
package struct ConfidenceCalibration: Sendable, Equatable {
  private static let bins = 16
  private static let decay = 0.995
  private static let priorWeight = 8.0

  private var hits = [Double](repeating: 0, count: bins)
  private var trials = [Double](repeating: 0, count: bins)

  /// What a confidence is worth before anything was seen, as a share of itself.
  private let share: Double

  package init(share: Double = 1) { self.share = share }

  /// The chance that a draft of this confidence is accepted, given that all before it were.
  package func acceptance(_ confidence: Float) -> Double {
    let bin = Self.bin(confidence)
    let prior = confidence > 0 ? share * Double(min(confidence, 1)) : 0
    return (hits[bin] + prior * Self.priorWeight) / (trials[bin] + Self.priorWeight)
  }

  /// Learns from one verified draft, all drafts before it having been accepted.
  package mutating func record(_ confidence: Float, accepted: Bool) {
    let bin = Self.bin(confidence)
    hits[bin] = hits[bin] * Self.decay + (accepted ? 1 : 0)
    trials[bin] = trials[bin] * Self.decay + 1
  }

  private static func bin(_ confidence: Float) -> Int {
    // Not a number counts as no confidence.
    guard confidence > 0 else { return 0 }
    return min(bins - 1, Int(min(confidence, 1) * Float(bins)))
  }
}
