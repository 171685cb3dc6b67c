package import Files
import Speculate

/// How many drafted tokens the target accepts of answers to held-out prompts, in rounds of full blocks
/// of a drafter alone.
///
/// Trainers count along recorded answers (``AcceptanceReplay``), the engine that serves while it generates
/// the same answers again (``AcceptanceGeneration``). Both count the same, field by field.
package struct HeldoutAcceptance: Sendable, Equatable, Codable {
  package var answers = 0
  /// Answers that end in a loop (`LoopDetector`), which any drafter guesses.
  package var loops = 0
  /// Rounds, each of which is one target pass.
  package var rounds = 0
  /// Tokens that the rounds gave: accepted ones and the target's own after them.
  package var emitted = 0
  package var looplessRounds = 0
  package var looplessEmitted = 0
  /// Rounds by how many tokens they drafted, fewer than a block only at the end of an answer:
  /// [drafts + 1].
  package var drafted: [Int]
  /// Rounds that drafted, by how many drafts were accepted: [drafts + 1].
  package var histogram: [Int]

  /// - Parameter drafts: The most of a round.
  package init(drafts: Int) {
    drafted = [Int](repeating: 0, count: drafts + 1)
    histogram = drafted
  }

  /// Mean acceptance length τ: tokens a round, the target's own included.
  package var acceptanceLength: Double { Self.ratio(emitted, rounds) ?? 0 }

  /// The same of answers that don't end in a loop; `nil` where all do.
  package var looplessAcceptanceLength: Double? { Self.ratio(looplessEmitted, looplessRounds) }

  package var loopShare: Double { Self.ratio(loops, answers) ?? 0 }

  /// The share of rounds with a draft 1, 2 … in which it was accepted: [drafts].
  package var survival: [Double] {
    var (accepted, offered) = (0, 0)
    var shares: [Double] = []
    for count in histogram.indices.dropFirst().reversed() {
      accepted += histogram[count]
      offered += drafted[count]
      shares.append(Self.ratio(accepted, offered) ?? 0)
    }
    return shares.reversed()
  }

  /// Counts an answer, whose rounds come in any order.
  mutating func add(_ answer: HeldoutAnswer) {
    answers += 1
    if answer.endsInLoop { loops += 1 }
  }

  mutating func add(drafted count: Int, accepted: Int, of answer: HeldoutAnswer) {
    rounds += 1
    emitted += accepted + 1
    if !answer.endsInLoop {
      looplessRounds += 1
      looplessEmitted += accepted + 1
    }
    drafted[count] += 1
    if count > 0 { histogram[accepted] += 1 }
  }

  private static func ratio(_ part: Int, _ whole: Int) -> Double? {
    whole > 0 ? Double(part) / Double(whole) : nil
  }
}

/// The target's greedy answer to a held-out prompt, as drafters are measured on it.
package struct HeldoutAnswer: Sendable, Equatable {
  /// Prompt and answer; both have tokens.
  package let response: Response
  /// Whether the target fell into a loop, at whose second period the answer was cut.
  package let endsInLoop: Bool

  /// Answers that have something to draft.
  ///
  /// - Parameters:
  ///   - length: The tokens that an answer was allowed; `nil` if it isn't known, where loops that were cut
  ///     away can't be.
  ///   - endTokens: The target's. What ends before `length` without one of them was cut at a loop.
  package static func all(
    _ responses: [Response], length: Int?, endTokens: [Token]
  ) -> [HeldoutAnswer] {
    responses.filter { !$0.continuation.isEmpty && $0.promptLength > 0 }.map { response in
      let tokens = response.continuation
      let isCut = tokens.count < length ?? 0 && tokens.last.map { !endTokens.contains($0) } ?? false
      return HeldoutAnswer(
        response: response, endsInLoop: isCut || LoopDetector().endsInLoop(tokens))
    }
  }
}
