public import Files
public import Foundation

/// What a pretraining run is to do.
public struct PretrainOptions: Sendable {
  /// The model's sizes.
  public var architecture = CausalArchitecture()
  /// Training tokens: little-endian 16-bit numbers.
  public var trainingTokens: URL
  /// Held-out tokens of the same kind, or nil.
  public var heldoutTokens: URL?
  /// A tokenizer to copy into the output folder.
  public var tokenizer: URL?
  /// The folder of checkpoint, metrics and exported model.
  public var output: URL
  /// Tokens of a sequence.
  public var length = 256
  /// Sequences of an optimizer step.
  public var sequences = 8
  /// Sequences a worker takes at once; fewer need less memory.
  public var microSequences = 4
  /// Optimizer steps of the whole run.
  public var steps = 2000
  /// The highest learning rate.
  public var learningRate: Float = 2e-3
  /// The last learning rate, as a share of the highest.
  public var floorShare: Float = 0.05
  /// Steps of linear warm-up.
  public var warmupSteps = 100
  /// AdamW's constants.
  public var optimizer = AdamW.Parameters()
  /// Gradients are scaled down to this norm.
  public var clip: Float = 1
  /// The seed of parameters and data order.
  public var seed: UInt64 = 1
  /// Windows of the data order to leave out, for a run that follows another.
  public var skippedWindows = 0
  /// Worker threads.
  public var threads: Int
  /// What the factors of matrix products are rounded to; nil for what the run's checkpoint says, or the
  /// fastest.
  public var precision: ProductPrecision?
  /// Seconds between checkpoints.
  public var checkpointSeconds = 300.0
  /// Steps between held-out losses; 0 for none before the end.
  public var evaluateEvery = 200
  /// Held-out windows of an evaluation.
  public var evaluationWindows = 64
  /// Steps between metrics lines.
  public var logEvery = 10
  /// A folder whose checkpoint gives the first parameters.
  public var initialModel: URL?
  /// How `initialModel`, if it is shallower, becomes as deep as this one.
  public var growth: LayerGrowth?
  /// The type of the exported weights.
  public var exportType = ElementType.bf16

  /// A run with the default sizes.
  public init(trainingTokens: URL, output: URL, threads: Int) {
    self.trainingTokens = trainingTokens
    self.output = output
    self.threads = threads
  }
}
