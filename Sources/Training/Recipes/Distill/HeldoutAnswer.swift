package import Files
import Speculate

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
