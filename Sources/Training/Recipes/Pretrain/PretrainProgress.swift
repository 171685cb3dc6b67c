package typealias PretrainProgress = Joined<StepProgress, PretrainFigures>

/// What a pretraining run reports beside what every training does.
package struct PretrainFigures: RecipeFigures, Equatable {
  package var tokens: Int
  package var tokensPerSecond: Double
  /// The held-out loss, when one was just measured.
  package var heldoutLoss: Double?

  package var scalars: [(tag: String, value: Double)] {
    [("speed/tokens_per_second", tokensPerSecond)]
      + (heldoutLoss.map { [("loss/heldout", $0)] } ?? [])
  }
}
