public import Drafter
public import Files
public import Foundation

/// What a distillation run is to do.
public struct DistillOptions: Sendable {
  /// Where responses come from.
  public enum Responses: Sendable {
    /// The target makes them, into the output folder.
    case make(ResponseOptions)
    /// Folders of responses made earlier, one after the other.
    case made([URL])
  }

  /// The target's folder: weights and tokenizer.
  public var target: URL
  /// Where the responses to learn from come from.
  public var responses: Responses
  /// The responses that acceptance is measured on, or nil for none. Greedy whatever they say.
  public var heldout: ResponseOptions?
  /// The folder of responses, checkpoint, metrics and drafter.
  public var output: URL

  /// What the drafter sees of the text before a block.
  public var kind = DrafterKind.conditioned
  /// The drafter's width; nil for the target's. Another than the target's wants an embedding of its own.
  public var width: Int?
  /// Whether the drafter has an embedding of its own even at the target's width.
  public var ownsEmbedding = false
  /// Rows of a block, the anchor's included.
  public var blockSize = 8
  /// The fewest rows of a block: each step draws a size from this to `blockSize`. `nil` for always
  /// `blockSize`, as published, and for 2 where the drafter sees tokens.
  public var shortestBlock: Int?
  /// The drafter's layers.
  public var layerCount = 2
  /// Target layers whose outputs are the features; nil for the published choice.
  public var targetLayers: [Int]?
  /// The token that stands for "to be drafted"; nil for the tokenizer's `<mask>`.
  public var maskToken: Token?
  /// How many tokens can be drafted.
  public var draftVocabulary = 4096
  /// Rank of the Markov head; 0 for none.
  public var markovRank = 0
  /// How first values are made; nil copies from the target if the shapes agree.
  public var initialization: DrafterInitialization?

  /// Blocks of a sequence in a step.
  public var anchors = 32
  /// Sequences of an optimizer step.
  public var sequences = 8
  /// Optimizer steps of the whole run.
  public var steps = 2000
  /// How a drafter that sees tokens alone learns.
  public var stages = TokenStages()
  /// What the drafter is trained for.
  public var objective = DraftObjective()
  /// The highest learning rate.
  public var learningRate: Float = 1e-3
  /// The last learning rate, as a share of the highest.
  public var floorShare: Float = 0.02
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
  /// Bytes of features that are kept between visits.
  public var memory = 4 << 30
  /// Seconds between checkpoints.
  public var checkpointSeconds = 300.0
  /// Steps between simulated acceptances; 0 for none before the end.
  public var evaluateEvery = 200
  /// Whether the drafter of the best simulated acceptance is kept beside the last one.
  public var savesBest = false
  /// Steps between metrics lines.
  public var logEvery = 10
  /// The type of the exported weights.
  public var exportType = ElementType.bf16

  /// A run with the default sizes.
  public init(target: URL, responses: Responses, output: URL, threads: Int) {
    self.target = target
    self.responses = responses
    self.output = output
    self.threads = threads
    optimizer.weightDecay = 0.01
  }
}
