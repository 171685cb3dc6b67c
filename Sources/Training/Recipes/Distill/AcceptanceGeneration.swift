import Drafter
import Files
import Speculate
import Text
import Verifier

/// Lets the engine that serves answer held-out prompts again, greedily, with full blocks of the drafter and
/// no other drafts, and counts its rounds.
enum AcceptanceGeneration {
  /// Generates every answer, as long as it was recorded.
  static func run(
    _ answers: [HeldoutAnswer], target: CausalModel, tokenizer: any Tokenizer, endTokens: [Token],
    drafter: BlockDrafter, threads: Int, shouldStop: @escaping () -> Bool
  ) throws -> GeneratedAcceptance? {
    let generator = try TextGenerator(
      model: target, tokenizer: tokenizer, drafter: .block(drafter), threads: threads)
    let drafts = drafter.configuration.maximumDrafts
    var result = GeneratedAcceptance(acceptance: HeldoutAcceptance(drafts: drafts))
    for answer in answers {
      let counter = RoundCounter()
      let output = try generator.generate(
        tokens: Array(answer.response.tokens[..<answer.response.promptLength]),
        parameters: GenerationParameters(
          maximumTokens: answer.response.continuation.count,
          endTokens: endTokens),
        mode: .speculative(drafts: drafts, choice: .argmax, free: FreeDraftOptions.none),
        observer: counter, isCancelled: shouldStop)
      if shouldStop() { return nil }
      if output.tokens != Array(answer.response.continuation) { result.differing += 1 }
      result.acceptance.add(answer)
      for round in counter.rounds {
        result.acceptance.add(drafted: round.drafted, accepted: round.accepted, of: answer)
      }
    }
    return result
  }

  private final class RoundCounter: RoundObserver {
    private(set) var rounds: [(drafted: Int, accepted: Int)] = []

    func observe(_ round: RoundRecord) { rounds.append((round.drafted, round.accepted)) }
  }
}

/// What the engine that serves made of held-out prompts.
package struct GeneratedAcceptance: Sendable, Equatable, Codable {
  package var acceptance: HeldoutAcceptance
  /// Answers that are not the recorded ones: on the machine that recorded them there are none.
  package var differing = 0
}
