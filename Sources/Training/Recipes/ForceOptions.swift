public import Files
public import Foundation

/// What a forcing run is to do.
public struct ForceOptions: Sendable {
  /// Where trajectories come from.
  public enum Trajectories: Sendable {
    /// The target makes responses and trajectories, into the output folder.
    case make(ResponseOptions)
    /// A folder that was made earlier.
    case made(URL)
  }

  /// The target's folder: weights and tokenizer. Training starts from it.
  public var target: URL
  /// Where the trajectories to learn from come from.
  public var trajectories: Trajectories
  /// Held-out documents, for loss and tokens per pass, or nil for neither.
  public var heldout: URL?
  /// The folder of trajectories, checkpoint, metrics and model.
  public var output: URL

  /// Tokens of a block.
  public var blockSize = 16
  /// The step from which blocks are twice as long; nil for never.
  public var growthStep: Int?
  /// How noisy blocks are, and what they see.
  public var schedule = NoiseSchedule()
  /// What is optimised.
  public var objective = ForcingObjective()
  /// Whether the embedding, which is the head too, is trained.
  public var trainsEmbedding = true

  /// Sequences of an optimizer step.
  public var sequences = 8
  /// Noisy copies of each, with noise of their own.
  public var copies = 1
  /// Optimizer steps of the whole run.
  public var steps = 500
  /// The highest learning rate.
  public var learningRate: Float = 1e-4
  /// The last learning rate, as a share of the highest.
  public var floorShare: Float = 0.1
  /// Steps of linear warm-up as a share of all.
  public var warmupShare = 0.04
  /// AdamW's constants.
  public var optimizer = AdamW.Parameters()
  /// Gradients are scaled down to this norm.
  public var clip: Float = 1
  /// The seed of everything random.
  public var seed: UInt64 = 1
  /// Worker threads.
  public var threads: Int
  /// What the factors of matrix products are rounded to; nil for what the run's checkpoint says, or the
  /// fastest.
  public var precision: ProductPrecision?
  /// Bytes of the target's states that are kept between visits.
  public var memory = 4 << 30
  /// Seconds between checkpoints.
  public var checkpointSeconds = 300.0
  /// Steps between held-out measurements; 0 for none before the end.
  public var evaluateEvery = 100
  /// What a held-out measurement reads and writes.
  public var evaluation = ForceEvaluator.Sizes()
  /// Steps between metrics lines.
  public var logEvery = 10
  /// The type of the exported weights.
  public var exportType = ElementType.bf16

  /// A run with the default sizes.
  public init(target: URL, trajectories: Trajectories, output: URL, threads: Int) {
    self.target = target
    self.trajectories = trajectories
    self.output = output
    self.threads = threads
    optimizer.weightDecay = 0
  }

  /// The sizes of blocks that the run visits.
  public var blockSizes: [Int] { growthStep == nil ? [blockSize] : [blockSize, 2 * blockSize] }

  /// Tokens of a block at a step.
  func blockSize(step: Int) -> Int {
    growthStep.map { step >= $0 } ?? false ? 2 * blockSize : blockSize
  }
}
