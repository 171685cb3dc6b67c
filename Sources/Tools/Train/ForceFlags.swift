import ArgumentParser
import Training

struct BlockFlags: ParsableArguments {
  @Option("Tokens of a block.") var block = 16
  @Option("From this step on blocks are twice as long. (default: never)", value: "step")
  var blockGrowth: Int?

  func validate() throws {
    try OptionCheck.range("--block", block, 2...256)
    try OptionCheck.atLeast(0, ("--block-growth", blockGrowth))
  }

  func apply(to options: inout ForceOptions) {
    options.blockSize = block
    options.growthStep = blockGrowth
  }
}

/// What is learnt from a trajectory.
struct ForceObjectiveFlags: ParsableArguments {
  @Option("Blocks over which noise rises from none to all of a block.") var window = 16
  @Option(
    """
    What a noisy block sees of its window: the noisy blocks before it, as published, or clean \
    ones, as a decoder with one block does.
    """, value: "noisy|clean")
  var context = "noisy"
  @Option(
    """
    Rows of a noisy block, from its first wrong token on, until one counts 1/e. (default: all count \
    alike, as published)
    """)
  var decay: Double?
  @Option("Factor of the cross-entropy of clean rows to the answer's tokens.")
  var clean: Float = 10
  @Option("Factor of the KL divergence of clean rows from the target's distribution.")
  var divergence: Float = 0
  @Flag(help: "Keep the embedding, which is the head too, as it is.") var freezeEmbedding = false

  func validate() throws {
    try OptionCheck.range("--window", window, 1...1024)
    if !["noisy", "clean"].contains(context) {
      throw ValidationError("--context is \(context): give noisy or clean")
    }
    try OptionCheck.aboveZero("--decay", decay)
    try OptionCheck.notNegative(("--clean", clean), ("--divergence", divergence))
    if clean == 0 && divergence == 0 {
      throw ValidationError(
        "--clean and --divergence are both 0, and nothing holds the text: give one that counts")
    }
  }

  func apply(to options: inout ForceOptions) {
    options.schedule = NoiseSchedule(window: window, seesNoise: context == "noisy", decay: decay)
    options.objective = ForcingObjective(clean: clean, divergence: divergence)
    options.trainsEmbedding = !freezeEmbedding
  }
}

/// How a model is forced.
struct ForceFlags: ParsableArguments, TrainingKind {
  static let usual = (
    steps: 500, learningRate: 1e-4 as Float, floor: 0.1 as Float, weightDecay: 0 as Float,
    evaluateEvery: 100
  )

  @OptionGroup var run: RunFlags<ForceFlags>
  @Option("Steps over which the learning rate rises, as a share of all.") var warmup = 0.04
  @Option("Answers of a step.") var batch = 8
  @Option("Noisy copies of an answer, each with noise of its own; they share its clean rows.")
  var copies = 1
  @Option("GiB of the target's states kept between visits, with --divergence.") var memory = 4.0
  @Option("Tokens of held-out text that a measurement reads.") var evaluationTokens = 8192
  @Option("Held-out prompts that a measurement goes on from.") var evaluationPrompts = 12
  @Option("Tokens of an output of a measurement at most.") var evaluationLength = 96

  func validate() throws {
    try OptionCheck.range("--batch", batch, 1...1 << 12)
    try OptionCheck.range("--copies", copies, 1...16)
    try OptionCheck.range("--warmup", warmup, 0...1)
    try OptionCheck.range("--memory", memory, 0...1024)
    try OptionCheck.atLeast(
      1, ("--evaluation-tokens", evaluationTokens), ("--evaluation-prompts", evaluationPrompts),
      ("--evaluation-length", evaluationLength))
  }

  /// - Parameter prompts: Tokens of a prompt.
  func apply(to options: inout ForceOptions, prompts: ClosedRange<Int>) {
    run.apply(to: &options.run)
    options.warmup = .share(warmup)
    options.sequences = batch
    options.copies = copies
    options.memory = Int(memory * 1_073_741_824)
    options.evaluation.tokens = evaluationTokens
    options.evaluation.prompts = evaluationPrompts
    options.evaluation.promptLengths = prompts
    options.evaluation.length = evaluationLength
  }
}
