/// What a pretraining checkpoint knows beside the values.
public struct PretrainHeader: Sendable, Equatable, Codable {
  /// The sizes of the model.
  public var architecture: CausalArchitecture
  /// Optimizer steps taken.
  public var step: Int
  /// The number of the next window of training data.
  public var window: Int
  /// Tokens seen.
  public var tokens: Int
  /// Seconds of training so far, over all sessions.
  public var seconds: Double
  /// The seed of parameters and data order.
  public var seed: UInt64
  /// Threads of the run: sums of gradients are bit-identical only with the same number.
  public var threads: Int
  /// What the factors of matrix products are rounded to; nil in checkpoints of earlier versions, where
  /// nothing was.
  public var precision: ProductPrecision?
  /// The fingerprint of the training tokens; nil where it isn't known.
  public var trainingTokens: UInt64?
  /// The last held-out loss.
  public var heldoutLoss: Double?

  /// Whether the numbers can be those of a run.
  var isPlausible: Bool { architecture.complaint == nil && step >= 0 && window >= 0 }
}
