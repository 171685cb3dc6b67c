public import Files

/// What a distillation checkpoint knows beside the values.
public struct DistillHeader: Sendable, Equatable, Codable {
  /// The drafter's `config.json`.
  public var configuration: String
  /// The token of each draft index; nil for the whole vocabulary.
  public var draftVocabulary: [Token]?
  /// How many responses the run visits.
  public var responses: Int
  /// Optimizer steps taken.
  public var step: Int
  /// The number of the next visit of a sequence.
  public var visit: Int
  /// Blocks seen.
  public var anchors: Int
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
