/// What a drafter's confidences are worth: the observed acceptance of drafts by top-1 probability, and by place.
///
/// A reliability diagram in equal bins, decayed like ``SurvivalEstimator``. A place's bin with few observations leans
/// on that of all places, and one of these on the confidence itself.
package struct ConfidenceCalibration: Sendable, Equatable, Codable {
  private static let bins = 16
  private static let decay = 0.995
  private static let priorWeight = 8.0
  /// The first places of groups that are counted together: later ones are rare.
  private static let groups = [0, 1, 2, 3, 5, 9]

  private var hits = [Double](repeating: 0, count: bins)
  private var trials = [Double](repeating: 0, count: bins)
  private var placeHits = [Double](repeating: 0, count: bins * groups.count)
  private var placeTrials = [Double](repeating: 0, count: bins * groups.count)

  /// What a confidence is worth before anything was seen, as a share of itself.
  private let share: Double

  package init(share: Double = 1) { self.share = share }

  /// The chance that a draft of this confidence is accepted, given that all before it were.
  ///
  /// - Parameter place: 0 for the draft behind the anchor; `nil` for any.
  package func acceptance(_ confidence: Float, place: Int? = nil) -> Double {
    let bin = Self.bin(confidence)
    let prior = confidence > 0 ? share * Double(min(confidence, 1)) : 0
    let pooled = (hits[bin] + prior * Self.priorWeight) / (trials[bin] + Self.priorWeight)
    guard let cell = Self.cell(bin, place) else { return pooled }
    return (placeHits[cell] + pooled * Self.priorWeight) / (placeTrials[cell] + Self.priorWeight)
  }

  /// Learns from one verified draft, all drafts before it having been accepted.
  package mutating func record(_ confidence: Float, place: Int? = nil, accepted: Bool) {
    let bin = Self.bin(confidence)
    hits[bin] = hits[bin] * Self.decay + (accepted ? 1 : 0)
    trials[bin] = trials[bin] * Self.decay + 1
    guard let cell = Self.cell(bin, place) else { return }
    placeHits[cell] = placeHits[cell] * Self.decay + (accepted ? 1 : 0)
    placeTrials[cell] = placeTrials[cell] * Self.decay + 1
  }

  private static func bin(_ confidence: Float) -> Int {
    // Not a number counts as no confidence.
    guard confidence > 0 else { return 0 }
    return min(bins - 1, Int(min(confidence, 1) * Float(bins)))
  }

  private static func cell(_ bin: Int, _ place: Int?) -> Int? {
    guard let place, let group = groups.lastIndex(where: { $0 <= place }) else { return nil }
    return group * bins + bin
  }

  /// Whether counts are what learning leaves: files may have been edited.
  var isSound: Bool {
    hits.count == Self.bins && trials.count == Self.bins
      && placeHits.count == Self.bins * Self.groups.count && placeTrials.count == placeHits.count
      && (0...1).contains(share) && SurvivalEstimator.areSound(hits, trials)
      && SurvivalEstimator.areSound(placeHits, placeTrials)
  }

  /// Lets what comes next count for more.
  mutating func fade() {
    SurvivalEstimator.fade(&hits, &trials)
    SurvivalEstimator.fade(&placeHits, &placeTrials)
  }
}
