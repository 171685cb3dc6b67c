import ArgumentParser
import Training

/// The widths of a model to train.
struct ModelWidths: ParsableArguments {
  @Option(help: "Tokens of the vocabulary.") var vocabulary = 8192
  @Option(help: "Width of the residual stream.") var hidden = 384
  @Option(help: "Width of the gated feed-forward part.") var intermediate = 1088
  @Option(help: "Query heads.") var heads = 6
  @Option(help: "Key/value heads; divides --heads.") var kvHeads = 2
  @Option(help: "Width of a head.") var headDim = 64

  /// A model of so many layers.
  func architecture(layers: Int) -> CausalArchitecture {
    var sizes = CausalArchitecture()
    sizes.vocabularySize = vocabulary
    sizes.hiddenSize = hidden
    sizes.intermediateSize = intermediate
    sizes.layerCount = layers
    sizes.headCount = heads
    sizes.keyValueHeadCount = kvHeads
    sizes.headDimension = headDim
    return sizes
  }
}

/// The sizes of a model to train.
struct ModelSizes: ParsableArguments {
  @OptionGroup var widths: ModelWidths
  @Option(help: "Decoder layers.") var layers = 12
  @Option(help: "Base of the rotary angles.") var ropeTheta = 10_000.0
  @Option(help: "Positions the model is declared to serve.") var context = 2048

  var architecture: CausalArchitecture {
    var sizes = widths.architecture(layers: layers)
    sizes.ropeTheta = ropeTheta
    sizes.maximumContext = context
    return sizes
  }
}

/// What a step takes.
struct BatchFlags: ParsableArguments {
  @Option(help: "Tokens of a sequence.") var length = 256
  @Option(name: .customLong("batch"), help: "Sequences of a step.") var sequences = 8
  @Option(help: "Sequences a thread takes at once: fewer need less memory.") var microBatch = 4

  /// Says which flag can't be, if any.
  func check() throws {
    let limits = [
      ("--length", length, 1 << 16), ("--batch", sequences, 1 << 16),
      ("--micro-batch", microBatch, 1 << 30),
    ]
    for (name, value, most) in limits {
      if value < 1 { throw ValidationError("\(name) is \(value): give a number of at least 1") }
      if value > most { throw ValidationError("\(name) is \(value): give at most \(most)") }
    }
  }
}

/// How a model is trained.
struct TrainingFlags: ParsableArguments {
  @Option(help: "Optimizer steps of the whole run, those before an interruption included.")
  var steps = 2000
  @OptionGroup var batch: BatchFlags
  @Option(help: "The highest learning rate.") var learningRate: Float = 2e-3
  @Option(help: "The last learning rate, as a share of the highest.") var floor: Float = 0.05
  @Option(help: "Steps over which the learning rate rises.") var warmup = 100
  @Option(help: "Decay of matrices per step, times the learning rate.")
  var weightDecay: Float = 0.1
  @Option(help: "Memory of the gradient's mean.") var beta1: Float = 0.9
  @Option(help: "Memory of the gradient's mean square.") var beta2: Float = 0.95
  @Option(help: "Seed of first values and data order.") var seed: UInt64 = 1
  @Option(help: "Sequences of the data order to leave out, those of an earlier run.")
  var skip = 0
  @Option(help: "Steps between held-out losses; 0 for one at the end only.")
  var evaluateEvery = 200
  @Option(help: "Held-out sequences of each measurement.") var evaluationBatch = 64
  @OptionGroup var run: RunFlags

  /// Says which flag can't be, if any.
  func check() throws {
    try batch.check()
    try FlagCheck.positive([("--steps", steps), ("--evaluation-batch", evaluationBatch)])
    try FlagCheck.notNegative([
      ("--warmup", warmup), ("--skip", skip), ("--evaluate-every", evaluateEvery),
    ])
    try FlagCheck.aboveZero([("--learning-rate", Double(learningRate))])
    for (name, value) in [("--beta1", beta1), ("--beta2", beta2)] where !(value >= 0 && value < 1) {
      throw ValidationError("\(name) is \(value): give a number from 0 to less than 1")
    }
    try FlagCheck.shares([("--floor", Double(floor)), ("--weight-decay", Double(weightDecay))])
  }

  /// Copies the flags.
  func apply(to options: inout PretrainOptions) {
    options.steps = steps
    options.length = batch.length
    options.sequences = batch.sequences
    options.microSequences = batch.microBatch
    options.learningRate = learningRate
    options.floorShare = floor
    options.warmup = .steps(warmup)
    options.optimizer.weightDecay = weightDecay
    options.optimizer.beta1 = beta1
    options.optimizer.beta2 = beta2
    options.seed = seed
    options.skippedWindows = skip
    options.evaluateEvery = evaluateEvery
    options.evaluationWindows = evaluationBatch
    run.apply(to: &options.run)
  }
}
