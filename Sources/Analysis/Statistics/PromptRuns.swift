package import Files
import Speculate

/// All generations of one prompt under one configuration.
///
/// Lossless decoding gives the same tokens every time, so that repetitions differ in their times
/// only: the median time stands for the prompt.
package struct PromptRuns: Sendable, Equatable {
  /// What the prompt is called in every configuration, so that the same prompts can be paired.
  package var key: String
  package var category: String
  /// The prompt's ids, or the last of them, to show outputs in their context.
  package var prompt: [Token]
  /// The repetitions, at least one.
  package var generations: [TracedGeneration]
  package let tokens: Double
  /// Median seconds of decoding the output.
  package let seconds: Double
  /// What happened to the drafts, over all repetitions.
  package let counts: AcceptanceCounts
  package let endsInLoop: Bool

  package init(
    key: String, category: String, prompt: [Token] = [], generations: [TracedGeneration]
  ) {
    precondition(!generations.isEmpty, "a prompt has at least one generation")
    self.key = key
    self.category = category
    self.prompt = prompt
    self.generations = generations
    let output = generations[0].tokens
    tokens = Double(output.count)
    seconds = median(generations.map(\.seconds))
    counts = generations.reduce(into: AcceptanceCounts()) { $0 += AcceptanceCounts($1) }
    endsInLoop = LoopDetector().endsInLoop(output)
  }

  /// What τ is the ratio of.
  var tokensAndRounds: (Double, Double) {
    (Double(counts.statistics.emittedTokens), Double(counts.statistics.rounds))
  }
}

/// The middle value; the mean of the two middle ones when their number is even; 0 for none.
package func median(_ values: [Double]) -> Double {
  guard !values.isEmpty else { return 0 }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
