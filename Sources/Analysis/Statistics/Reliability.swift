import Speculate

/// What a source's confidences are worth: acceptance of drafts by confidence (Guo et al., arXiv
/// 1706.04599).
///
/// Only drafts count that the target was asked about: those whose predecessors were all accepted.
package struct Reliability: Sendable, Equatable, Codable {
  /// One bar of the diagram.
  package struct Bin: Sendable, Equatable, Codable {
    package var count = 0
    package var accepted = 0
    /// The sum of their confidences.
    package var confidence = 0.0

    /// The share that was accepted; 0 for an empty bin.
    package var acceptance: Double { count > 0 ? Double(accepted) / Double(count) : 0 }
    /// Their mean confidence; 0 for an empty bin.
    package var meanConfidence: Double { count > 0 ? confidence / Double(count) : 0 }
  }

  /// Bins of equal width over 0 to 1.
  package private(set) var bins = [Bin](repeating: Bin(), count: binCount)

  package static let binCount = 10

  package init() {}

  /// Counts the drafts of a generation that have a confidence.
  package mutating func add(_ generation: TracedGeneration) {
    for (index, round) in generation.rounds.enumerated() where !round.confidences.isEmpty {
      for (draft, isAccepted) in generation.asked(index) {
        guard let confidence = round.confidences[draft] else { continue }
        add(Double(confidence), accepted: isAccepted)
      }
    }
  }

  package mutating func add(_ confidence: Double, accepted: Bool) {
    // Not a number counts as no confidence.
    let clamped = confidence > 0 ? min(confidence, 1) : 0
    let bin = min(Self.binCount - 1, Int(clamped * Double(Self.binCount)))
    bins[bin].count += 1
    bins[bin].accepted += accepted ? 1 : 0
    bins[bin].confidence += clamped
  }

  package var count: Int { bins.reduce(0) { $0 + $1.count } }

  /// Expected calibration error: the mean distance of acceptance and confidence, 0 to 1.
  package var error: Double {
    guard count > 0 else { return 0 }
    return bins.reduce(0) {
      $0 + abs(Double($1.accepted) - $1.confidence)
    } / Double(count)
  }
}
