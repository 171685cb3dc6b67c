/// What a drafter is to become good at: a sum of losses, and how much each row of a block counts.
///
/// A head may have a loss of its own (`HeadTraining`).
/// The target's distribution is taken at temperature 1 over the draft vocabulary alone.
package struct DraftObjective: Sendable, Equatable {
  /// The factor of the cross-entropy to the target's token.
  package var crossEntropy: Float
  /// The factor of the Kullback–Leibler divergence KL(p ‖ q) from the target's distribution p.
  package var divergence: Float
  /// The factor of the total variation ½ Σ|p − q|, which is the chance that sampling from q is
  /// rejected (DSpark, arXiv 2607.05147).
  package var variation: Float
  /// The factor of the entropy of rows whose most probable token is the target's already: certainty-forcing
  /// (dParallel, arXiv 2509.26488).
  package var certainty: Float
  package var rowWeights: RowWeights

  package enum RowWeights: Sendable, Equatable {
    /// exp(−(k−1)/γ) for row k; `nil` is the published γ of the block size (DFlash, arXiv
    /// 2602.06036).
    case decay(Double?)
    /// By the drafter's own chance of getting so far, block by block (D-PACE, arXiv 2605.18810).
    case pace
  }

  package init(
    crossEntropy: Float = 1, divergence: Float = 0, variation: Float = 0, certainty: Float = 0,
    rowWeights: RowWeights = .decay(nil)
  ) {
    self.crossEntropy = crossEntropy
    self.divergence = divergence
    self.variation = variation
    self.certainty = certainty
    self.rowWeights = rowWeights
  }

  /// Whether the target's distributions are needed, not only its tokens; heads may need them too.
  package var needsDistribution: Bool { divergence != 0 || variation != 0 }

  /// The γ of fixed weights, 1/e of which is left after γ rows; `nil` for weights of 1.
  ///
  /// - Parameter isPublished: Whether the published γ holds where none was chosen.
  func decay(blockSize: Int, isPublished: Bool) -> Double? {
    guard case .decay(let chosen) = rowWeights else { return nil }
    return chosen ?? (isPublished ? DraftWeights.decay(blockSize: blockSize) : nil)
  }
}
