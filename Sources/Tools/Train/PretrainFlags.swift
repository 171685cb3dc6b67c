import ArgumentParser
import Training

/// The widths of a model to train.
struct ModelWidths: ParsableArguments {
  @Option("Tokens of the vocabulary.") var vocabulary = 8192
  @Option("Width of the residual stream.") var hidden = 384
  @Option("Width of the gated feed-forward part.") var intermediate = 1088
  @Option("Query heads.") var heads = 6
  @Option("Key/value heads; divides --heads.") var kvHeads = 2
  @Option("Width of a head.") var headDim = 64

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

struct ModelSizes: ParsableArguments {
  @OptionGroup var widths: ModelWidths
  @Option("Decoder layers.") var layers = 12
  @Option("Base of the rotary angles.") var ropeTheta = 10_000.0
  @Option("Positions the model is declared to serve.") var context = 2048

  var architecture: CausalArchitecture {
    var sizes = widths.architecture(layers: layers)
    sizes.ropeTheta = ropeTheta
    sizes.maximumContext = context
    return sizes
  }
}

/// What a step takes.
struct BatchFlags: ParsableArguments {
  @Option("Tokens of a sequence.") var length = 256
  @Option("Sequences of a step.", name: .customLong("batch")) var sequences = 8
  @Option("Sequences a thread takes at once: fewer need less memory.") var microBatch = 4

  func validate() throws {
    try OptionCheck.range("--length", length, 1...1 << 16)
    try OptionCheck.range("--batch", sequences, 1...1 << 16)
    try OptionCheck.atLeast(1, ("--micro-batch", microBatch))
  }
}

/// How a model is trained.
struct TrainingFlags: ParsableArguments, TrainingKind {
  static let usual = (
    steps: 2000, learningRate: 2e-3 as Float, floor: 0.05 as Float, weightDecay: 0.1 as Float,
    evaluateEvery: 200
  )

  @OptionGroup var batch: BatchFlags
  @OptionGroup var run: RunFlags<TrainingFlags>
  @Option("Steps over which the learning rate rises.") var warmup = 100
  @Option("Memory of the gradient's mean.") var beta1: Float = 0.9
  @Option("Memory of the gradient's mean square.") var beta2: Float = 0.95
  @Option("Sequences of the data order to leave out, those of an earlier run.") var skip = 0
  @Option("Held-out sequences of each measurement.") var evaluationBatch = 64

  func validate() throws {
    try OptionCheck.atLeast(1, ("--evaluation-batch", evaluationBatch))
    try OptionCheck.atLeast(0, ("--warmup", warmup), ("--skip", skip))
    for (name, value) in [("--beta1", beta1), ("--beta2", beta2)] where !(value >= 0 && value < 1) {
      throw ValidationError("\(name) \(value) is out of range: use 0 to less than 1")
    }
  }

  func apply(to options: inout PretrainOptions) {
    run.apply(to: &options.run)
    options.length = batch.length
    options.sequences = batch.sequences
    options.microSequences = batch.microBatch
    options.warmup = .steps(warmup)
    options.optimizer.beta1 = beta1
    options.optimizer.beta2 = beta2
    options.skippedWindows = skip
    options.evaluationWindows = evaluationBatch
  }
}
