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

/// What a pretraining run is made from, and where in its data it is.
package struct PretrainPosition: RecipePosition {
  package var architecture: CausalArchitecture
  /// The number of the next window of training data.
  package var window: Int
  package var tokens = 0
  /// The fingerprint of the training tokens; nil where it isn't known.
  package var trainingTokens: UInt64?
  /// The last held-out loss.
  package var heldoutLoss: Double?

  /// What is wrong with values that can't be those of a run, as what follows the checkpoint's name.
  var complaint: String? {
    architecture.complaint == nil && window >= 0
      ? nil : "isn't the checkpoint of a pretraining run: delete it and start again"
  }

  package func objection(to start: PretrainPosition) -> String? {
    if let complaint { return complaint }
    if architecture != start.architecture {
      return "was made with other sizes: give the same settings or another ‘output’"
    }
    guard let trainingTokens, trainingTokens != start.trainingTokens else { return nil }
    return "was made with other training text or another tokenizer: give the same again or another "
      + "‘output’"
  }
}

/// What a pretraining checkpoint knows beside the values.
typealias PretrainHeader = Joined<RunPosition, PretrainPosition>
