import ArgumentParser
import Files
public import Training

/// The values that options of a kind of training have where they aren't given.
protocol TrainingKind {
  static var usual:
    (steps: Int, learningRate: Float, floor: Float, weightDecay: Float, evaluateEvery: Int)
  { get }
}

/// What every training takes: how it runs, and what it writes.
struct RunFlags<Kind: TrainingKind>: ParsableArguments {
  @Option("Optimizer steps of the whole run, those before an interruption included.")
  var steps = Kind.usual.steps
  @Option("The highest learning rate.") var learningRate = Kind.usual.learningRate
  @Option("The last learning rate, as a share of the highest.") var floor = Kind.usual.floor
  @Option("Decay of matrices per step, times the learning rate.")
  var weightDecay = Kind.usual.weightDecay
  @Option("Seed of everything random: prompts, first values, data order, noise.")
  var seed: UInt64 = 1
  @Option("Steps between held-out measurements; 0 for one at the end only.")
  var evaluateEvery = Kind.usual.evaluateEvery
  @Option("Longest gradient; longer ones are shortened to it.") var clip: Float = 1
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var precision: PrecisionOption
  @OptionGroup var sums: LaneOptions
  @Option("Seconds between checkpoints.") var checkpointSeconds = 300.0
  @Option("Steps between progress lines.") var logEvery = 10
  @Option("Type of the exported weights: bf16 or f32.") var dtype = "bf16"

  func apply(to options: inout RunOptions) {
    options.steps = steps
    options.learningRate = learningRate
    options.floorShare = floor
    options.optimizer.weightDecay = weightDecay
    options.seed = seed
    options.evaluateEvery = evaluateEvery
    options.clip = clip
    options.precision = precision.wanted
    sums.apply(to: &options)
    options.checkpointSeconds = checkpointSeconds
    options.logEvery = logEvery
    options.exportType = dtype == "bf16" ? .bf16 : .f32
  }

  func validate() throws {
    try OptionCheck.atLeast(1, ("--steps", steps), ("--log-every", logEvery))
    try OptionCheck.atLeast(0, ("--evaluate-every", evaluateEvery))
    try OptionCheck.aboveZero("--learning-rate", learningRate)
    try OptionCheck.range("--floor", floor, 0...1)
    try OptionCheck.range("--weight-decay", weightDecay, 0...1)
    try OptionCheck.aboveZero("--clip", clip)
    try OptionCheck.aboveZero("--checkpoint-seconds", checkpointSeconds)
    if dtype != "bf16" && dtype != "f32" {
      throw ValidationError("--dtype is \(dtype): give bf16 or f32")
    }
  }
}

/// What the factors of training's matrix products are rounded to.
struct PrecisionOption: ParsableArguments {
  @Option(
    """
    What matrix products round their factors to; sums, parameters and gradients are f32. (default: \
    bf16 where the processor has AVX-512 BF16, else f32; a run that goes on keeps its own)
    """, name: .customLong("precision"))
  var wanted: ProductPrecision?
}

extension ProductPrecision: ExpressibleByArgument {}
