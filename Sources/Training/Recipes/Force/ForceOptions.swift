package import Foundation
package import Text

/// What a forcing run is to do.
package struct ForceOptions: RecipeOptions {
  package enum Trajectories: Sendable {
    /// The target makes responses and trajectories, into the output folder.
    case make(ResponseOptions)
    /// A folder that was made earlier.
    case made(URL)
  }

  package var run: RunOptions
  /// The target's folder: weights and tokenizer. Training starts from it.
  package var target: URL
  package var trajectories: Trajectories
  /// How chats are written.
  package var chat = ChatSettings()
  /// Held-out documents, for loss and tokens per pass, or nil for neither.
  package var heldout: URL?

  package var blockSize = 16
  /// The step from which blocks are twice as long; nil for never.
  package var growthStep: Int?
  package var schedule = NoiseSchedule()
  package var objective = ForcingObjective()
  /// Whether the embedding, which is the head too, is trained.
  package var trainsEmbedding = true

  /// Noisy copies of each, with noise of their own.
  package var copies = 1
  /// Bytes of the target's states that are kept between visits.
  package var memory = 4 << 30
  package var evaluation = ForceEvaluator.Sizes()

  package init(target: URL, trajectories: Trajectories, output: URL, threads: Int) {
    self.target = target
    self.trajectories = trajectories
    run = RunOptions(output: output, threads: threads)
    run.steps = 500
    run.learningRate = 1e-4
    run.floorShare = 0.1
    run.optimizer.weightDecay = 0
    run.evaluateEvery = 100
  }

  package var blockSizes: [Int] { growthStep == nil ? [blockSize] : [blockSize, 2 * blockSize] }

  func blockSize(step: Int) -> Int {
    growthStep.map { step >= $0 } ?? false ? 2 * blockSize : blockSize
  }
}
