/// How a drafter that sees tokens alone learns (DEER, arXiv 2512.15176; docs/algorithms.md 3.2).
///
/// A cut of an answer is a block here, of which many share a pass: its anchor is the last token before the
/// cut and its other rows are the beginning of the suffix. The anchor is where attention begins to look both
/// ways, so that no separator is needed.
package struct TokenStages: Sendable, Equatable {
  /// A stage; the number is the paper's.
  package enum Stage: Int, Sendable {
    /// Blocks are masked at random noise levels.
    case distillation = 1
    /// Blocks of all lengths are masked entirely.
    case refinement = 2
  }

  /// Steps of the second stage, which are the last ones of the run.
  package var refinementSteps = 0
  /// The highest learning rate of the second stage, as a share of the first one's.
  package var refinementRate: Float = 0.5
  /// The lowest noise level of the first stage.
  package var leastNoise = 0.1
  /// The share of the first stage's blocks that are masked entirely, as they are served.
  package var maskedShare = 0.5
  /// How often the first stage shows a block.
  package var views = MaskViews.single
  /// The share of the first stage's other blocks whose shown rows are the first ones.
  package var leftShare = 0.0
  /// Whether noise levels are spread evenly over the blocks of a pass.
  package var spreadsLevels = false
  /// First steps of the run in which blocks grow from the shortest to the longest.
  package var growthSteps = 0
  /// α of the second stage's weights α^(R−i).
  package var alpha = 1.01

  /// The paper's constants, with as many steps of the second stage as wanted.
  package init(refinementSteps: Int = 0) { self.refinementSteps = refinementSteps }

  /// The most rows that the second stage masks.
  package static let longestSuffix = 96
  /// Where α diverges.
  package static let highestAlpha = 1.05
}
