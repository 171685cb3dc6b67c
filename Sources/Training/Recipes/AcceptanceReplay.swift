package import Drafter
import Tensors

/// Replays held-out responses through a drafter, round by round as `DraftVerifyDecoder` would with
/// full blocks and as many tokens as the response has.
package final class AcceptanceReplay {
  private let responses: [Response]
  private let features: [FloatBuffer]  // taps; empty for a drafter that sees tokens

  /// Computes the target's features of all responses.
  ///
  /// - Parameter features: `nil` for a drafter that sees tokens.
  package init(_ responses: [Response], features: TargetFeatures?) {
    self.responses = responses.filter { !$0.continuation.isEmpty && $0.promptLength > 0 }
    self.features = self.responses.map {
      features?.compute($0.tokens).taps ?? FloatBuffer(count: 0)
    }
  }

  /// Runs every response.
  package func run(_ runner: DrafterRunner) -> SimulatedAcceptance {
    let configuration = runner.drafter.configuration
    let choices = configuration.choices
    let width = configuration.targetLayers.count * configuration.shape.hidden
    var result = SimulatedAcceptance(blockSize: configuration.blockSize)
    for (response, features) in zip(responses, features) {
      let tokens = response.tokens
      runner.rewind(to: 0)
      var anchor = response.promptLength - 1
      while anchor + 1 < tokens.count {
        let known = runner.contextCount
        switch configuration.kind {
        case .conditioned:
          runner.appendContext(features.base + known * width, rows: anchor - known)
        case .tokens: runner.appendContext(tokens[known..<anchor])
        }
        let rest = tokens[(anchor + 1)...]
        // The target's own token after the drafts takes the last place.
        let count = min(configuration.blockSize, rest.count) - 1
        var accepted = 0
        if count > 0 {
          runner.draft(anchor: tokens[anchor], count: count) { _, logits in
            Kernels.argmax(logits, count: choices)
          }
          accepted = zip(runner.drafts, rest).prefix { $0 == $1 }.count
        }
        result.add(drafted: count, accepted: accepted)
        anchor += accepted + 1
      }
    }
    return result
  }
}
