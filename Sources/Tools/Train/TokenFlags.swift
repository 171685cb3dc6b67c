import ArgumentParser
public import Drafter
public import Training

/// What is special to a drafter that sees tokens alone.
struct TokenFlags: ParsableArguments {
  @Option(
    """
    What the drafter sees of the text: what the target computed about it (conditioned), or its \
    tokens alone (tokens).
    """)
  var kind = DrafterKind.conditioned
  @Option(
    """
    The drafter's width, a multiple of the target's head width; another than the target's comes \
    with an embedding of the drafter's own. (default: the target's)
    """)
  var width: Int?
  @Flag(help: "Train an embedding of the drafter's own rather than borrow the target's.")
  var ownEmbedding = false
  @Option(
    """
    1: blocks with random rows masked; 2: blocks of all lengths masked entirely; or both, one \
    after the other. (default: both)
    """, value: "1|2|both")
  var stage: String?
  @Option("Steps of --steps that are stage 2's. (default: a quarter)")
  var refinementSteps: Int?
  @Option(
    "The highest learning rate of stage 2, as a share of --learning-rate. (default: 0.5)")
  var refinementRate: Float?
  @Option("Stage 1: the lowest share of rows that is masked. (default: 0.1)")
  var leastNoise: Double?
  @Option("Stage 1: the share of blocks that are masked entirely. (default: 0.5)")
  var maskedShare: Double?
  @Option(
    """
    Stage 1: how often a block is shown that isn't masked entirely: once (single), twice, each row masked \
    in one view (complement), or thrice, masked entirely too (coupled). (default: single)
    """, value: "views")
  var views: MaskViews?
  @Option("Stage 1: the share of these blocks whose shown rows are the first ones. (default: 0)")
  var leftShare: Double?
  @Flag(help: "Stage 1: spread shares of masked rows evenly over the blocks of a pass.")
  var spreadLevels = false
  @Option("First steps in which blocks grow from --shortest-block to --block-size. (default: 0)")
  var growthSteps: Int?
  @Option("Stage 2: row i of R counts alpha^(R−i); below 1.05. (default: 1.01)")
  var alpha: Double?

  private var given: [(name: String, isGiven: Bool)] {
    [
      ("--width", width != nil), ("--own-embedding", ownEmbedding), ("--stage", stage != nil),
      ("--refinement-steps", refinementSteps != nil),
      ("--refinement-rate", refinementRate != nil), ("--least-noise", leastNoise != nil),
      ("--masked-share", maskedShare != nil), ("--alpha", alpha != nil),
      ("--views", views != nil), ("--left-share", leftShare != nil),
      ("--spread-levels", spreadLevels), ("--growth-steps", growthSteps != nil),
    ]
  }

  func check(_ drafter: DrafterSizes, _ objective: ObjectiveFlags, steps: Int) throws {
    guard kind == .tokens else {
      if let flag = given.first(where: \.isGiven) {
        throw ValidationError("\(flag.name) belongs to --kind tokens: give it too")
      }
      return
    }
    if drafter.targetLayers != nil {
      throw ValidationError("--target-layers belongs to --kind conditioned: leave it out")
    }
    if objective.rowWeights != "decay" {
      throw ValidationError(
        "--row-weights \(objective.rowWeights) belongs to --kind conditioned: leave it out")
    }
    if drafter.blockSize > TokenStages.longestSuffix + 1 {
      throw ValidationError(
        "--block-size is \(drafter.blockSize): give at most \(TokenStages.longestSuffix + 1), of "
          + "which stage 2 masks all but the anchor")
    }
    try OptionCheck.range("--width", width, 2...1 << 17)
    try checkStages(steps: steps)
  }

  private func checkStages(steps: Int) throws {
    if let stage, !["1", "2", "both"].contains(stage) {
      throw ValidationError("--stage is \(stage): give 1, 2 or both")
    }
    if let refinementSteps {
      if let stage, stage != "both" {
        throw ValidationError("--refinement-steps means nothing with --stage \(stage): drop one")
      }
      if !(1..<max(steps, 2)).contains(refinementSteps) {
        throw ValidationError(
          "--refinement-steps is \(refinementSteps): give 1 to \(max(steps - 1, 1)), less than "
            + "--steps")
      }
    }
    if let refinementRate, !(refinementRate > 0 && refinementRate <= 1) {
      throw ValidationError("--refinement-rate is \(refinementRate): give a number up to 1")
    }
    try OptionCheck.range("--least-noise", leastNoise, 0.01...1)
    try OptionCheck.range("--masked-share", maskedShare, 0...1)
    try OptionCheck.range("--left-share", leftShare, 0...1)
    try OptionCheck.range("--growth-steps", growthSteps, 0...steps)
    if let alpha, !(alpha >= 1 && alpha < TokenStages.highestAlpha) {
      throw ValidationError(
        "--alpha is \(alpha): give 1 to less than \(TokenStages.highestAlpha), at which training "
          + "diverges")
    }
  }

  func apply(to options: inout DistillOptions, steps: Int) {
    options.kind = kind
    options.width = width
    options.ownsEmbedding = ownEmbedding
    let usual = TokenStages()
    options.stages.refinementSteps =
      switch stage {
      case "1": 0
      case "2": steps
      default: refinementSteps ?? steps / 4
      }
    options.stages.refinementRate = refinementRate ?? usual.refinementRate
    options.stages.leastNoise = leastNoise ?? usual.leastNoise
    options.stages.maskedShare = maskedShare ?? usual.maskedShare
    options.stages.alpha = alpha ?? usual.alpha
    options.stages.views = views ?? usual.views
    options.stages.leftShare = leftShare ?? usual.leftShare
    options.stages.spreadsLevels = spreadLevels
    options.stages.growthSteps = growthSteps ?? usual.growthSteps
  }
}

extension MaskViews: ExpressibleByArgument {}

extension DrafterKind: ExpressibleByArgument {}
