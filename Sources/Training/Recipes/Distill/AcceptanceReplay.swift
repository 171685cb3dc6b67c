package import Drafter
package import Files
import Tensors

/// Replays answers to held-out prompts through a drafter, round by round as `DraftStrategy` would with
/// full blocks and as many tokens as the answer has.
///
/// Greedy verification accepts the longest prefix that the target would have written itself, and a
/// recorded greedy answer is what it writes: so replaying needs the serving drafter and the
/// target's features, but no target pass.
package final class AcceptanceReplay {
  /// A round as it went.
  package struct Round {
    package let answer: Int
    package let drafts: [Token]
    /// How many of these were accepted.
    package let accepted: Int
    /// The target's own token after them.
    package let chosen: Token
  }

  private let answers: [HeldoutAnswer]
  private let features: TargetFeatures?
  private var taps: [FloatBuffer] = []  // of the answers that were run so far

  /// - Parameter features: `nil` for a drafter that sees tokens.
  package init(_ answers: [HeldoutAnswer], features: TargetFeatures?) {
    self.answers = answers
    self.features = features
  }

  /// Runs every answer.
  ///
  /// - Parameter capacity: Tokens of the longest answer, its prompt included.
  /// - Returns: `nil` when `shouldStop` says so.
  /// - Throws: `SpeculateError` when there is no memory for its keys and values.
  package func run(
    _ runner: DrafterRunner, capacity: Int, shouldStop: () -> Bool,
    observe: (Round) -> Void = { _ in }
  ) throws -> HeldoutAcceptance? {
    let configuration = runner.drafter.configuration
    let choices = configuration.choices
    let width = configuration.targetLayers.count * configuration.shape.hidden
    let context = try runner.makeContext(capacity: capacity)
    var result = HeldoutAcceptance(drafts: configuration.maximumDrafts)
    for (number, answer) in answers.enumerated() {
      let tokens = answer.response.tokens
      if number == taps.count {
        do {
          taps.append(
            try features?.compute(tokens, shouldStop: shouldStop).taps ?? FloatBuffer(count: 0))
        } catch is Stopped { return nil }
      }
      result.add(answer)
      context.rewind(to: 0)
      var anchor = answer.response.promptLength - 1
      while anchor + 1 < tokens.count {
        if shouldStop() { return nil }
        let known = context.count
        runner.append(taps[number].base + known * width, rows: anchor - known, to: context)
        runner.append(tokens[context.count..<anchor], to: context)
        let rest = tokens[(anchor + 1)...]
        // The target's own token after the drafts takes the last place.
        let count = min(configuration.maximumDrafts, rest.count - 1)
        var accepted = 0
        if count > 0 {
          let block = DrafterBlock(context: context, anchor: tokens[anchor], count: count)
          runner.draft([block]) { _, _, logits in Kernels.argmax(logits, count: choices) }
          accepted = zip(context.drafts, rest).prefix { $0 == $1 }.count
        }
        result.add(drafted: count, accepted: accepted, of: answer)
        anchor += accepted + 1
        observe(
          Round(
            answer: number, drafts: count > 0 ? context.drafts : [], accepted: accepted,
            chosen: tokens[anchor]))
      }
    }
    return result
  }
}
