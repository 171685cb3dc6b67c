import ArgumentParser
import Files
import Foundation
import Training

/// The sizes of a drafter to train.
struct DrafterSizes: ParsableArguments {
  @Option(help: "Layers of the drafter.") var layers = 2
  @Option(help: "Rows of a block: the anchor and the drafts.") var blockSize = 8
  @Option(
    help: """
      Train with blocks of all sizes from this one on, so that short drafts cost less. (default: \
      --block-size alone; 2 for --kind tokens)
      """)
  var shortestBlock: Int?
  @Option(
    help: ArgumentHelp(
      "Target layers whose outputs the drafter sees, 0-based. (default: evenly spread)",
      valueName: "i,j,…"))
  var targetLayers: String?
  @Option(help: "Tokens that can be drafted: the most frequent ones of the responses.")
  var draftVocabulary = 4096
  @Option(help: "Rank of the Markov head; 0 for none.") var markovRank = 0
  @Option(help: "The token that stands for a draft to be made. (default: the tokenizer's <mask>)")
  var maskToken: Int?
  @Option(
    help: ArgumentHelp(
      """
      First values: random, the target's last layers (target; the first ones for --kind tokens), or \
      those of the drafter in a folder, with its draft vocabulary. (default: target if shapes agree)
      """, valueName: "random|target|dir"))
  var `init`: String?

  /// The layers of `--target-layers`.
  private var taps: [Int]? {
    get throws { try targetLayers.map { try FlagCheck.layers($0, of: "--target-layers") } }
  }

  /// Says which flag can't be, if any.
  func check() throws {
    try FlagCheck.positive([("--layers", layers), ("--draft-vocabulary", draftVocabulary)])
    if !(2...256).contains(blockSize) {
      throw ValidationError("--block-size is \(blockSize): give 2 to 256")
    }
    if let shortestBlock, !(2...blockSize).contains(shortestBlock) {
      throw ValidationError(
        "--shortest-block is \(shortestBlock): give 2 to \(blockSize), the --block-size")
    }
    if layers > 64 { throw ValidationError("--layers is \(layers): give at most 64") }
    if !(0...4096).contains(markovRank) {
      throw ValidationError("--markov-rank is \(markovRank): give 0 to 4096")
    }
    if let maskToken, !(0...1 << 24).contains(maskToken) {
      throw ValidationError("--mask-token is \(maskToken): give a token of the vocabulary")
    }
    _ = try taps
  }

  /// Copies the flags.
  func apply(to options: inout DistillOptions) throws {
    options.layerCount = layers
    options.blockSize = blockSize
    options.shortestBlock = shortestBlock
    options.targetLayers = (try? taps) ?? nil
    options.draftVocabulary = draftVocabulary
    if markovRank > 0 { options.heads.append(MarkovHeadTraining(rank: markovRank)) }
    options.maskToken = maskToken.map { Token($0) }
    options.initialization = try `init`.map { name in
      switch name {
      case "random": .random
      case "target": .target
      default: .drafter(try ModelFolder.url(name, option: "--init"))
      }
    }
  }
}

/// How a drafter is trained.
struct DistillFlags: ParsableArguments {
  @Option(help: "Optimizer steps of the whole run, those before an interruption included.")
  var steps = 2000
  @Option(help: "Blocks of a sequence in a step.") var anchors = 32
  @Option(help: "Sequences of a step.") var batch = 8
  @Option(help: "The highest learning rate.") var learningRate: Float = 1e-3
  @Option(help: "The last learning rate, as a share of the highest.") var floor: Float = 0.02
  @Option(help: "Steps over which the learning rate rises, as a share of all.") var warmup = 0.04
  @Option(help: "Decay of matrices per step, times the learning rate.")
  var weightDecay: Float = 0.01
  @Option(help: "Seed of prompts, first values, data order and anchors.") var seed: UInt64 = 1
  @Option(help: "GiB of target features kept between visits of a sequence.") var memory = 4.0
  @Option(help: "Steps between simulated acceptances; 0 for one at the end only.")
  var evaluateEvery = 200
  @Flag(
    help: "Keep the drafter of the best simulated acceptance in the folder 'best' of --output.")
  var saveBest = false
  @Option(help: "Held-out prompts of a simulated acceptance.") var evaluationPrompts = 8
  @Option(help: "Tokens of a held-out response at most.") var evaluationLength = 128
  @OptionGroup var run: RunFlags

  /// Says which flag can't be, if any.
  func check() throws {
    try FlagCheck.positive([
      ("--steps", steps), ("--anchors", anchors), ("--batch", batch),
      ("--evaluation-prompts", evaluationPrompts), ("--evaluation-length", evaluationLength),
    ])
    if anchors > 1 << 12 || batch > 1 << 12 {
      throw ValidationError("--anchors \(anchors) × --batch \(batch): give at most 4096 of each")
    }
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
  func apply(to options: inout DistillOptions) {
    options.steps = steps
    options.anchors = anchors
    options.sequences = batch
    options.learningRate = learningRate
    options.floorShare = floor
    options.warmup = .share(warmup)
    options.optimizer.weightDecay = weightDecay
    options.seed = seed
    options.memory = Int(memory * 1_073_741_824)
    options.evaluateEvery = evaluateEvery
    options.savesBest = saveBest
    run.apply(to: &options.run)
  }
}
