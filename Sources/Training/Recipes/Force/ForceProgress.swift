package typealias ForceProgress = Joined<StepProgress, ForceFigures>

/// What a forcing run reports beside what every training does.
package struct ForceFigures: RecipeFigures, Equatable {
  /// Rows seen, clean and noisy ones.
  package var rows: Int
  /// Mean cross-entropy of the clean rows of responses, in nats.
  package var cleanLoss: Double
  /// Mean soft cross-entropy of noisy rows to the clean ones, in nats.
  package var noisyLoss: Double
  /// Mean KL divergence of clean rows from the first model, in nats, where it counts.
  package var divergence: Double?
  package var rowsPerSecond: Double
  /// Held-out loss and tokens per pass, when just measured.
  package var evaluation: ForceEvaluation?
  /// Those of the target that training began with, beside them.
  package var original: ForceEvaluation?

  package var scalars: [(tag: String, value: Double)] {
    [
      ("loss/clean", cleanLoss), ("loss/noisy", noisyLoss),
      ("speed/rows_per_second", rowsPerSecond),
    ] + (divergence.map { [("loss/divergence", $0)] } ?? [])
      + (evaluation.map {
        [
          ("heldout/bits_per_token", $0.bitsPerToken), ("heldout/bits_per_byte", $0.bitsPerByte),
          ("jacobi/tokens_per_pass", $0.plain.tokensPerPass),
          ("jacobi/tokens_per_pass_with_all", $0.full.tokensPerPass),
        ]
      } ?? [])
  }
}

/// How far the making of trajectories is.
package struct TrajectoryProgress: Sendable, Equatable, Codable {
  package var blockSize: Int
  /// Trajectories there are, those of earlier sessions included.
  package var trajectories: Int
  package var wanted: Int
  /// Passes made in this session.
  package var passes: Int
}

/// What a forcing run is made from, and where in its data it is.
package struct ForcePosition: RecipePosition {
  /// The fingerprint of the weights that training began with.
  package var target: UInt64
  package var trajectories: Int
  /// A fingerprint of the trajectories; nil in checkpoints of earlier versions.
  package var data: UInt64?
  /// Tokens of a block, before they grow.
  package var blockSize: Int
  package var visit = 0
  package var rows = 0

  package func objection(to start: ForcePosition) -> String? {
    visit >= 0 && target == start.target && trajectories == start.trajectories
      && blockSize == start.blockSize
      && data ?? start.data == start.data
      ? nil
      : "was made with another target, other trajectories or blocks: give the same settings, another "
        + "‘output’, or delete it"
  }
}
