/// Where a forcing run is.
public struct ForceProgress: Sendable, Equatable, Codable {
  /// Steps taken.
  public var step: Int
  /// Steps of the whole run.
  public var steps: Int
  /// Rows seen, clean and noisy ones.
  public var rows: Int
  /// Mean loss since the last report, with the objective's factors.
  public var loss: Double
  /// Mean cross-entropy of the clean rows of responses, in nats.
  public var cleanLoss: Double
  /// Mean soft cross-entropy of noisy rows to the clean ones, in nats.
  public var noisyLoss: Double
  /// Mean KL divergence of clean rows from the first model, in nats, where it counts.
  public var divergence: Double?
  /// The learning rate of the last step.
  public var rate: Float
  /// The gradient's norm before clipping, of the last step.
  public var gradientNorm: Double
  /// Rows a second since the last report.
  public var rowsPerSecond: Double
  /// Seconds of training so far, over all sessions.
  public var seconds: Double
  /// Held-out loss and tokens per pass, when just measured.
  public var evaluation: ForceEvaluation?
  /// Those of the target that training began with, beside them.
  public var original: ForceEvaluation?
}

extension ForceProgress: StepMetrics {
  /// Losses, held-out figures, the learning rate, the gradient and the speed.
  public var scalars: [(tag: String, value: Double)] {
    [
      ("loss/train", loss), ("loss/clean", cleanLoss), ("loss/noisy", noisyLoss),
      ("optimizer/learning_rate", Double(rate)), ("optimizer/gradient_norm", gradientNorm),
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
public struct TrajectoryProgress: Sendable, Equatable, Codable {
  /// Tokens of a block.
  public var blockSize: Int
  /// Trajectories there are, those of earlier sessions included.
  public var trajectories: Int
  /// Trajectories wanted.
  public var wanted: Int
  /// Passes made in this session.
  public var passes: Int
}
