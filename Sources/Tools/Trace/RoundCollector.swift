import Speculate

/// Keeps the rounds of one generation.
final class RoundCollector: RoundObserver {
  private(set) var rounds: [RoundRecord] = []

  func observe(_ round: RoundRecord) { rounds.append(round) }

  /// The rounds and what the result says of them.
  func generation(_ result: GenerationResult) -> TracedGeneration {
    TracedGeneration(
      promptTokens: result.prompt.count, rounds: rounds, finishReason: result.finishReason,
      prefillSeconds: result.statistics.prefillSeconds)
  }
}
