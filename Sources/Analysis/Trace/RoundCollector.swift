package import Speculate

package final class RoundCollector: RoundObserver {
  package private(set) var rounds: [RoundRecord] = []

  package init() {}

  package func observe(_ round: RoundRecord) { rounds.append(round) }

  /// The rounds and what the result says of them.
  package func generation(_ result: GenerationResult) -> TracedGeneration {
    TracedGeneration(
      promptTokens: result.prompt.count, rounds: rounds, finishReason: result.finishReason,
      prefillSeconds: result.statistics.prefillSeconds)
  }
}
