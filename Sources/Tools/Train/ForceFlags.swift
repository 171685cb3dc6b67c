import ArgumentParser
import Training

/// The blocks that are iterated.
struct BlockFlags: ParsableArguments {
  @Option(help: "Tokens of a block.") var block = 16
  @Option(
    help: ArgumentHelp(
      "From this step on blocks are twice as long. (default: never)", valueName: "step"))
  var blockGrowth: Int?

  /// Says which flag can't be, if any.
  func check() throws {
    if !(2...256).contains(block) {
      throw ValidationError("--block is \(block): give 2 to 256")
    }
    if let blockGrowth, blockGrowth < 0 {
      throw ValidationError("--block-growth is \(blockGrowth): give a step, 0 or more")
    }
  }

  /// Copies the flags.
  func apply(to options: inout ForceOptions) {
    options.blockSize = block
    options.growthStep = blockGrowth
  }
}

/// What is learnt from a trajectory.
struct ForceObjectiveFlags: ParsableArguments {
  @Option(help: "Blocks over which noise rises from none to all of a block.")
  var window = 16
  @Option(
    help: ArgumentHelp(
      """
      What a noisy block sees of its window: the noisy blocks before it, as published, or clean \
      ones, as a decoder with one block does.
      """, valueName: "noisy|clean"))
  var context = "noisy"
  @Option(
    help: """
      Rows of a noisy block, from its first wrong token on, until one counts 1/e. (default: all count \
      alike, as published)
      """)
  var decay: Double?
  @Option(help: "Factor of the cross-entropy of clean rows to the answer's tokens.")
  var clean: Float = 10
  @Option(
    help: "Factor of the KL divergence of clean rows from the target's distribution.")
  var divergence: Float = 0
  @Flag(help: "Keep the embedding, which is the head too, as it is.")
  var freezeEmbedding = false

  /// Says which flag can't be, if any.
  func check() throws {
    if !(1...1024).contains(window) {
      throw ValidationError("--window is \(window): give 1 to 1024")
    }
    if !["noisy", "clean"].contains(context) {
      throw ValidationError("--context is \(context): give noisy or clean")
    }
    if let decay, !(decay > 0 && decay.isFinite) {
      throw ValidationError("--decay is \(decay): give a number above 0")
    }
    for (name, value) in [("--clean", clean), ("--divergence", divergence)]
    where !(value >= 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value): give a number of at least 0")
    }
    if clean == 0 && divergence == 0 {
      throw ValidationError(
        "--clean and --divergence are both 0, and nothing holds the text: give one that counts")
    }
  }

  /// Copies the flags.
  func apply(to options: inout ForceOptions) {
    options.schedule = NoiseSchedule(window: window, seesNoise: context == "noisy", decay: decay)
    options.objective = ForcingObjective(clean: clean, divergence: divergence)
    options.trainsEmbedding = !freezeEmbedding
  }
}

/// How a model is forced.
struct ForceFlags: ParsableArguments {
  @Option(help: "Optimizer steps of the whole run, those before an interruption included.")
  var steps = 500
  @Option(help: "Answers of a step.") var batch = 8
  @Option(
    help: "Noisy copies of an answer, each with noise of its own; they share its clean rows.")
  var copies = 1
  @Option(help: "The highest learning rate.") var learningRate: Float = 1e-4
  @Option(help: "The last learning rate, as a share of the highest.") var floor: Float = 0.1
  @Option(help: "Steps over which the learning rate rises, as a share of all.") var warmup = 0.04
  @Option(help: "Decay of matrices per step, times the learning rate.") var weightDecay: Float = 0
  @Option(help: "Seed of prompts, data order and noise.") var seed: UInt64 = 1
  @Option(help: "GiB of the target's states kept between visits, with --divergence.")
  var memory = 4.0
  @Option(help: "Steps between held-out measurements; 0 for one at the end only.")
  var evaluateEvery = 100
  @Option(help: "Tokens of held-out text that a measurement reads.") var evaluationTokens = 8192
  @Option(help: "Held-out prompts that a measurement goes on from.") var evaluationPrompts = 12
  @Option(help: "Tokens of an output of a measurement at most.") var evaluationLength = 96
  @OptionGroup var run: RunFlags

  /// Says that responses must be greedy.
  static func checkGreedy(_ responses: ResponseFlags) throws {
    if responses.temperature != 0 {
      throw ValidationError(
        "--temperature is \(responses.temperature), but only greedy answers are fixed points of the "
          + "iteration: leave it out")
    }
  }

  /// Says which flag can't be, if any.
  func check() throws {
    try FlagCheck.positive([
      ("--steps", steps), ("--batch", batch), ("--evaluation-tokens", evaluationTokens),
      ("--evaluation-prompts", evaluationPrompts), ("--evaluation-length", evaluationLength),
    ])
    if !(1...16).contains(copies) {
      throw ValidationError("--copies is \(copies): give 1 to 16")
    }
    if batch > 1 << 12 { throw ValidationError("--batch is \(batch): give at most 4096") }
    try FlagCheck.notNegative([("--evaluate-every", evaluateEvery)])
    try FlagCheck.aboveZero([("--learning-rate", Double(learningRate))])
    try FlagCheck.shares([
      ("--floor", Double(floor)), ("--warmup", warmup), ("--weight-decay", Double(weightDecay)),
    ])
    if !(0...1024).contains(memory) {
      throw ValidationError("--memory is \(memory): give 0 to 1024 GiB")
    }
  }

  /// Copies the flags.
  ///
  /// - Parameter prompts: Tokens of a prompt.
  func apply(to options: inout ForceOptions, prompts: ClosedRange<Int>) {
    options.steps = steps
    options.sequences = batch
    options.copies = copies
    options.learningRate = learningRate
    options.floorShare = floor
    options.warmup = .share(warmup)
    options.optimizer.weightDecay = weightDecay
    options.seed = seed
    options.memory = Int(memory * 1_073_741_824)
    options.evaluateEvery = evaluateEvery
    options.evaluation.tokens = evaluationTokens
    options.evaluation.prompts = evaluationPrompts
    options.evaluation.promptLengths = prompts
    options.evaluation.length = evaluationLength
    run.apply(to: &options.run)
  }
}
