/// Where a training run is.
public struct TrainingProgress: Sendable, Equatable, Codable {
  /// Steps taken.
  public var step: Int
  /// Steps of the whole run.
  public var steps: Int
  /// Tokens seen.
  public var tokens: Int
  /// Mean loss (nats a token) since the last report.
  public var loss: Double
  /// The learning rate of the last step.
  public var rate: Float
  /// The gradient's norm before clipping, of the last step.
  public var gradientNorm: Double
  /// Tokens a second since the last report.
  public var tokensPerSecond: Double
  /// Seconds of training so far, over all sessions.
  public var seconds: Double
  /// The held-out loss, when one was just measured.
  public var heldoutLoss: Double?

  /// Seconds left at the current speed.
  public var remainingSeconds: Double {
    guard step > 0, tokensPerSecond > 0 else { return 0 }
    return Double(steps - step) * (Double(tokens) / Double(step)) / tokensPerSecond
  }
}
