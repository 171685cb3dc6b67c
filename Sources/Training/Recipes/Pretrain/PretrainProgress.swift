/// Where a pretraining run is.
package typealias PretrainProgress = Joined<StepProgress, PretrainFigures>

/// What a pretraining run reports beside what every training does.
package struct PretrainFigures: RecipeFigures, Equatable {
  /// Tokens seen.
  package var tokens: Int
  /// Tokens a second since the last report.
  package var tokensPerSecond: Double
  /// The held-out loss, when one was just measured.
  package var heldoutLoss: Double?

  /// The curves of the figures, by TensorBoard tag.
  package var scalars: [(tag: String, value: Double)] {
    [
      ("speed/tokens_per_second", tokensPerSecond)
    ] + (heldoutLoss.map { [("loss/heldout", $0)] } ?? [])
  }
}
