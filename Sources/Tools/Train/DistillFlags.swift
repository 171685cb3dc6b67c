import ArgumentParser
import Drafter
import Files
import Foundation
import Training

/// The sizes of a drafter to train.
struct DrafterSizes: ParsableArguments {
  @Option("Layers of the drafter.") var layers = 2
  @Option("Rows of a block: the anchor and the drafts.") var blockSize = 8
  @Option(
    """
    Train with blocks of all sizes from this one on, so that short drafts cost less. (default: \
    --block-size alone; 2 for --kind tokens)
    """)
  var shortestBlock: Int?
  @Option(
    "Target layers whose outputs the drafter sees, 0-based. (default: evenly spread)",
    value: "i,j,…")
  var targetLayers: String?
  @Option(
    """
    Tokens that can be drafted: the most frequent ones of the responses. (default: 4096, 8192 with \
    --prompts self, or those of the drafter in --init)
    """)
  var draftVocabulary: Int?
  @Option("Rank of the Markov head; 0 for none. (default: 0, or 64 with --prompts self)")
  var markovRank: Int?
  @Option(
    """
    Rank of a selector among the 16 likeliest tokens of each row by the token before (DFlash 2); 0 for none. \
    (default: 0)
    """)
  var selectorRank: Int?
  @Option(
    """
    The token that stands for a draft to be made, by its id or its spelling; text must not have it. \
    (default: the tokenizer's <mask>, or an id that no text has, which is told)
    """, value: "id|text")
  var maskToken: String?
  @Option(
    """
    First values: random, the target's last layers (target; the first ones for --kind tokens), or \
    those of the drafter in a folder, with its draft vocabulary, or for --kind tokens the first layers of a \
    causal model with the target's vocabulary. (default: target if shapes agree)
    """, value: "random|target|dir")
  var `init`: String?

  private var taps: [Int]? {
    get throws { try targetLayers.map { try OptionCheck.layers($0, of: "--target-layers") } }
  }

  func validate() throws {
    try OptionCheck.range("--layers", layers, 1...64)
    try OptionCheck.atLeast(1, ("--draft-vocabulary", draftVocabulary))
    try OptionCheck.range("--block-size", blockSize, 2...256)
    if let shortestBlock, !(2...blockSize).contains(shortestBlock) {
      throw ValidationError(
        "--shortest-block is \(shortestBlock): give 2 to \(blockSize), the --block-size")
    }
    try OptionCheck.range("--markov-rank", markovRank, 0...4096)
    try OptionCheck.range("--selector-rank", selectorRank, 0...4096)
    if draftVocabulary != nil, startsFromDrafter {
      throw ValidationError(
        "--draft-vocabulary means nothing with --init and a drafter, which has its own: leave one of "
          + "them out")
    }
    _ = try taps
  }

  private var startsFromDrafter: Bool {
    guard let `init`, `init` != "random", `init` != "target" else { return false }
    return Self.isDrafter(`init`)
  }

  /// Whether a folder holds no causal model; what can't be read is told later.
  private static func isDrafter(_ path: String) -> Bool {
    let file = URL(filePath: path).appending(path: "config.json")
    return (try? DrafterConfiguration.isMeant(by: ConfigurationFile(url: file))) ?? true
  }

  private static func beginning(in folder: URL) -> DrafterInitialization {
    isDrafter(folder.path) ? .drafter(folder) : .model(folder)
  }

  /// - Parameter areWritten: Whether the target writes prompts itself, and is a chat model of a large
  ///   vocabulary that nobody has chosen sizes for.
  func apply(to options: inout DistillOptions, areWritten: Bool) throws {
    options.layerCount = layers
    options.blockSize = blockSize
    options.shortestBlock = shortestBlock
    options.targetLayers = try taps
    if let size = draftVocabulary ?? (areWritten ? 8192 : nil) { options.draftVocabulary = size }
    let rank = markovRank ?? (areWritten ? 64 : 0)
    if rank > 0 { options.heads.append(MarkovHeadTraining(rank: rank)) }
    if let selectorRank, selectorRank > 0 {
      options.heads.append(CandidateSelectorTraining(rank: selectorRank))
    }
    options.initialization = try `init`.map { name in
      switch name {
      case "random": .random
      case "target": .target
      default: try Self.beginning(in: ModelFolder.url(name, option: "--init"))
      }
    }
  }
}

/// How a drafter is trained.
struct DistillFlags: ParsableArguments, TrainingKind {
  static let usual = (
    steps: 2000, learningRate: 1e-3 as Float, floor: 0.02 as Float, weightDecay: 0.01 as Float,
    evaluateEvery: 200
  )

  @OptionGroup var run: RunFlags<DistillFlags>
  @Option("Steps over which the learning rate rises, as a share of all.") var warmup = 0.04
  @Option("Blocks of a sequence in a step.") var anchors = 32
  @Option("Sequences of a step.") var batch = 8
  @Option("GiB of target features kept between visits of a sequence.") var memory = 4.0
  @Flag(help: "Keep the drafter of the best simulated acceptance in the folder 'best' of --output.")
  var saveBest = false
  @Option("Held-out prompts of a simulated acceptance.") var evaluationPrompts = 8
  @Option("Tokens of a held-out response at most.") var evaluationLength = 128

  func validate() throws {
    try OptionCheck.range("--anchors", anchors, 1...1 << 12)
    try OptionCheck.range("--batch", batch, 1...1 << 12)
    try OptionCheck.range("--warmup", warmup, 0...1)
    try OptionCheck.range("--memory", memory, 0...1024)
    try OptionCheck.atLeast(
      1, ("--evaluation-prompts", evaluationPrompts), ("--evaluation-length", evaluationLength))
  }

  func apply(to options: inout DistillOptions) {
    run.apply(to: &options.run)
    options.warmup = .share(warmup)
    options.anchors = anchors
    options.sequences = batch
    options.memory = Int(memory * 1_073_741_824)
    options.savesBest = saveBest
  }
}
