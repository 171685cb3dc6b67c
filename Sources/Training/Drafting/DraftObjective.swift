/// What a drafter is to become good at: a sum of losses, and how much each row of a block counts.
///
/// The target's distribution is taken at temperature 1 over the draft vocabulary alone.
public struct DraftObjective: Sendable, Equatable {
  /// The factor of the cross-entropy to the target's token.
  public var crossEntropy: Float
  /// The factor of the Kullback–Leibler divergence KL(p ‖ q) from the target's distribution p.
  public var divergence: Float
  /// The factor of the total variation ½ Σ|p − q|, which is the chance that sampling from q is
  /// rejected (DSpark, arXiv 2607.05147).
  public var variation: Float
  /// The factor of the entropy of rows whose most probable token is the target's already: certainty-forcing
  /// (dParallel, arXiv 2509.26488).
  public var certainty: Float
  /// The factor of the confidence head's cross-entropy to ``confidenceLabel``; 0 for a drafter without
  /// the head (DSpark, arXiv 2607.05147).
  public var confidence: Float
  /// What the confidence head foretells.
  public var confidenceLabel: ConfidenceLabel
  /// How much rows count.
  public var rowWeights: RowWeights

  /// How much the rows of a block count.
  public enum RowWeights: Sendable, Equatable {
    /// exp(−(k−1)/γ) for row k; `nil` is the published γ of the block size (DFlash, arXiv
    /// 2602.06036).
    case decay(Double?)
    /// By the drafter's own chance of getting so far, block by block (D-PACE, arXiv 2605.18810).
    case pace
  }

  /// What a confidence head foretells of a row; 0 where the draft vocabulary lacks the target's token.
  public enum ConfidenceLabel: String, Sendable, CaseIterable {
    /// Whether the drafter's most probable token is the target's: what greedy decoding asks.
    case match
    /// 1 − ½ Σ|p − q|, the chance that sampling from q is accepted.
    case variation
  }

  /// An objective of weighted terms.
  public init(
    crossEntropy: Float = 1, divergence: Float = 0, variation: Float = 0, certainty: Float = 0,
    confidence: Float = 0, confidenceLabel: ConfidenceLabel = .match,
    rowWeights: RowWeights = .decay(nil)
  ) {
    self.crossEntropy = crossEntropy
    self.divergence = divergence
    self.variation = variation
    self.certainty = certainty
    self.confidence = confidence
    self.confidenceLabel = confidenceLabel
    self.rowWeights = rowWeights
  }

  /// Whether the target's distributions are needed, not only its tokens.
  public var needsDistribution: Bool {
    divergence != 0 || variation != 0 || confidence != 0 && confidenceLabel == .variation
  }

  /// The γ of fixed weights, 1/e of which is left after γ rows; `nil` for weights of 1.
  ///
  /// - Parameter isPublished: Whether the published γ holds where none was chosen.
  func decay(blockSize: Int, isPublished: Bool) -> Double? {
    guard case .decay(let chosen) = rowWeights else { return nil }
    return chosen ?? (isPublished ? DraftWeights.decay(blockSize: blockSize) : nil)
  }
}
