package import Files
package import Speculate

/// One generation as its observer saw it, from the first round to the last.
package struct TracedGeneration: Sendable, Equatable {
  package var promptTokens: Int
  /// The rounds, in order; their positions follow on one another.
  package var rounds: [RoundRecord]
  package var finishReason: FinishReason
  package var prefillSeconds: Double

  package init(
    promptTokens: Int, rounds: [RoundRecord], finishReason: FinishReason, prefillSeconds: Double
  ) {
    self.promptTokens = promptTokens
    self.rounds = rounds
    self.finishReason = finishReason
    self.prefillSeconds = prefillSeconds
  }

  package var tokens: [Token] { rounds.flatMap(\.tokens) }

  /// Seconds of decoding, prefill excluded.
  package var seconds: Double { rounds.reduce(0) { $0 + $1.seconds.total } }

  /// Whether the output may have ended among a round's drafts.
  func isCut(_ index: Int) -> Bool { index == rounds.count - 1 && finishReason != .cancelled }

  /// How many of a round's drafts the target judged: all, unless the output ended among them.
  package func judged(_ index: Int) -> Int {
    let round = rounds[index]
    return isCut(index) ? min(round.drafts.count, round.tokens.count) : round.drafts.count
  }

  /// The drafts of a round that the target was asked about: those whose predecessors it took, unless
  /// the output ended before them.
  package func asked(_ index: Int) -> [(draft: Int, isAccepted: Bool)] {
    let round = rounds[index]
    let path = round.acceptedDrafts
    guard !round.parents.isEmpty else {
      return (0..<min(judged(index), path.count + 1)).map { ($0, $0 < path.count) }
    }
    let asked = [-1] + path.prefix(max(0, judged(index) - 1))
    return round.drafts.indices.filter { asked.contains(round.parents[$0]) }.map {
      ($0, path.contains($0))
    }
  }

  /// Why the rounds do not add up to a generation; `nil` if they do.
  ///
  /// A trace that was damaged without becoming unreadable is found here.
  package var inconsistency: String? {
    var position = promptTokens
    for (index, round) in rounds.enumerated() {
      if let problem = round.inconsistency { return "round \(index + 1): \(problem)" }
      guard round.position == position else {
        return "round \(index + 1) starts at position \(round.position), not at \(position)"
      }
      position += round.tokens.count
    }
    return nil
  }
}

package final class RoundCollector: RoundObserver {
  package private(set) var rounds: [RoundRecord] = []

  package init() {}

  package func observe(_ round: RoundRecord) { rounds.append(round) }

  /// The rounds and what the result says of them.
  ///
  /// A stop string is found in the text afterwards, when the last round was told with what it committed
  /// behind.
  package func generation(_ result: GenerationResult) -> TracedGeneration {
    let rest = rounds.reduce(0) { $0 + $1.tokens.count } - result.tokens.count
    if rest > 0, let last = rounds.indices.last { rounds[last].removeLast(rest) }
    return TracedGeneration(
      promptTokens: result.prompt.count, rounds: rounds, finishReason: result.finishReason,
      prefillSeconds: result.statistics.prefillSeconds)
  }
}
