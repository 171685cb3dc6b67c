/// What a forcing checkpoint knows beside the values.
public struct ForceHeader: Sendable, Equatable, Codable {
  /// The fingerprint of the weights that training began with.
  public var target: UInt64
  /// How many trajectories the run visits.
  public var trajectories: Int
  /// Tokens of a block, before they grow.
  public var blockSize: Int
  /// Optimizer steps taken.
  public var step: Int
  /// The number of the next visit of a trajectory.
  public var visit: Int
  /// Rows seen.
  public var rows: Int
  /// Seconds of training so far, over all sessions.
  public var seconds: Double
  /// The seed of everything random.
  public var seed: UInt64
  /// Threads of the run: sums of gradients are bit-identical only with the same number.
  public var threads: Int
  /// What the factors of matrix products are rounded to; nil in checkpoints of earlier versions, where
  /// nothing was.
  public var precision: ProductPrecision?
}
