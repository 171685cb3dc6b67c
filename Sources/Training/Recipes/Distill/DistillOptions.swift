package import Drafter
package import Files
package import Foundation
package import Text

/// What a distillation run is to do.
package struct DistillOptions: RecipeOptions {
  package enum Responses: Sendable {
    /// The target makes them, into the output folder.
    case make(ResponseOptions)
    /// Folders of responses made earlier, one after the other.
    case made([URL])
  }

  package var run: RunOptions
  package var target: URL
  package var responses: Responses
  /// How chats are written.
  package var chat = ChatSettings()
  /// The responses that acceptance is measured on, or nil for none. Greedy whatever they say.
  package var heldout: ResponseOptions?

  /// What the drafter sees of the text before a block.
  package var kind = DrafterKind.conditioned
  /// The drafter's width; nil for the target's. Another than the target's wants an embedding of its own.
  package var width: Int?
  /// Whether the drafter has an embedding of its own even at the target's width.
  package var ownsEmbedding = false
  /// Rows of a block, the anchor's included.
  package var blockSize = 8
  /// The fewest rows of a block: each step draws a size from this to `blockSize`. `nil` for always
  /// `blockSize`, as published, and for 2 where the drafter sees tokens.
  package var shortestBlock: Int?
  package var layerCount = 2
  /// Target layers whose outputs are the features; nil for the published choice.
  package var targetLayers: [Int]?
  /// The token that stands for "to be drafted"; nil for the tokenizer's `<mask>`.
  package var maskToken: Token?
  /// How many tokens can be drafted.
  package var draftVocabulary = 4096
  package var heads: [any HeadTraining] = []
  /// How first values are made; nil copies from the target if the shapes agree.
  package var initialization: DrafterInitialization?

  /// Blocks of a sequence in a step.
  package var anchors = 32
  package var stages = TokenStages()
  package var objective = DraftObjective()
  /// The stages of the drafter's training; nil for one that learns in one go.
  var tokenStages: TokenStages? { kind.readsFeatures ? nil : stages }
  var needsDistribution: Bool {
    objective.needsDistribution || heads.contains(where: \.needsDistribution)
  }
  /// Bytes of features that are kept between visits.
  package var memory = 4 << 30
  /// Whether the drafter of the best simulated acceptance is kept beside the last one.
  package var savesBest = false

  package init(target: URL, responses: Responses, output: URL, threads: Int) {
    self.target = target
    self.responses = responses
    run = RunOptions(output: output, threads: threads)
    run.floorShare = 0.02
    run.optimizer.weightDecay = 0.01
  }

  /// What a drafter is made from beside the target and its prompts.
  var inputs: [OutputClaim.Input] {
    var inputs: [OutputClaim.Input] = []
    if case .made(let folders) = responses {
      inputs += folders.map { OutputClaim.Input("responses from", $0) }
    }
    switch initialization {
    case .drafter(let folder), .model(let folder):
      inputs.append(OutputClaim.Input("init", folder))
    case .random, .target, nil: break
    }
    return inputs
  }
}
