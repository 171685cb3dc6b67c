package import Foundation

/// What a forcing run is to do.
package struct ForceOptions: RecipeOptions {
  /// Where trajectories come from.
  package enum Trajectories: Sendable {
    /// The target makes responses and trajectories, into the output folder.
    case make(ResponseOptions)
    /// A folder that was made earlier.
    case made(URL)
  }

  package var run: RunOptions
  /// The target's folder: weights and tokenizer. Training starts from it.
  package var target: URL
  /// Where the trajectories to learn from come from.
  package var trajectories: Trajectories
  /// Held-out documents, for loss and tokens per pass, or nil for neither.
  package var heldout: URL?

  /// Tokens of a block.
  package var blockSize = 16
  /// The step from which blocks are twice as long; nil for never.
  package var growthStep: Int?
  /// How noisy blocks are, and what they see.
  package var schedule = NoiseSchedule()
  /// What is optimised.
  package var objective = ForcingObjective()
  /// Whether the embedding, which is the head too, is trained.
  package var trainsEmbedding = true

  /// Noisy copies of each, with noise of their own.
  package var copies = 1
  /// Bytes of the target's states that are kept between visits.
  package var memory = 4 << 30
  /// What a held-out measurement reads and writes.
  package var evaluation = ForceEvaluator.Sizes()

  /// A run with the default sizes.
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

  /// The sizes of blocks that the run visits.
  package var blockSizes: [Int] { growthStep == nil ? [blockSize] : [blockSize, 2 * blockSize] }

  /// Tokens of a block at a step.
  func blockSize(step: Int) -> Int {
    growthStep.map { step >= $0 } ?? false ? 2 * blockSize : blockSize
  }
}
