import Drafter
import Tensors

/// How many drafted tokens the target would accept, in rounds along recorded greedy responses.
///
/// Greedy verification accepts the longest prefix that the target would have written itself, and a
/// recorded greedy response is what it writes: so replaying needs the serving drafter and the
/// target's features, but no target pass.
public struct SimulatedAcceptance: Sendable, Equatable, Codable {
  /// Rounds of drafting.
  public var rounds = 0
  /// Tokens that the rounds gave: accepted ones and the target's own after them.
  public var emitted = 0
  /// Rounds by the number of accepted drafts: [blockSize].
  public var histogram: [Int]

  /// No rounds yet of a drafter with blocks of `blockSize` rows.
  public init(blockSize: Int) { histogram = [Int](repeating: 0, count: blockSize) }

  /// Mean acceptance length τ: tokens a round, the target's own included.
  public var acceptanceLength: Double { rounds == 0 ? 0 : Double(emitted) / Double(rounds) }

  /// The share of rounds whose draft 1, 2 … was accepted: [blockSize − 1].
  public var survival: [Double] {
    var behind = 0
    var shares: [Double] = []
    for count in histogram.dropFirst().reversed() {
      behind += count
      shares.append(rounds == 0 ? 0 : Double(behind) / Double(rounds))
    }
    return shares.reversed()
  }

  /// Adds one round; `limit` tokens of the response were left.
  mutating func add(accepted: Int, limit: Int) {
    rounds += 1
    emitted += min(accepted + 1, limit)
    histogram[accepted] += 1
  }
}

/// Replays held-out responses through a drafter.
final class AcceptanceReplay {
  private let responses: [Response]
  private let features: [FloatBuffer]

  init(_ responses: [Response], features: TargetFeatures) {
    self.responses = responses.filter { $0.continuation.count > 1 }
    self.features = self.responses.map { features.compute($0.tokens) }
  }

  /// Runs every response in rounds of full blocks.
  func run(_ runner: DrafterRunner) -> SimulatedAcceptance {
    let blockSize = runner.drafter.configuration.blockSize
    let choices = runner.drafter.configuration.choices
    let width =
      runner.drafter.configuration.targetLayers.count
      * runner.drafter.configuration.shape.hidden
    var result = SimulatedAcceptance(blockSize: blockSize)
    for (response, features) in zip(responses, features) {
      let tokens = response.tokens
      runner.rewind(to: 0)
      var anchor = response.promptLength  // the target's first own token
      while anchor + 1 < tokens.count {
        let known = runner.contextCount
        runner.appendContext(features.base + known * width, rows: anchor - known)
        runner.draft(anchor: tokens[anchor], count: blockSize - 1) { _, logits in
          Kernels.argmax(logits, count: choices)
        }
        let rest = tokens[(anchor + 1)...]
        let accepted = zip(runner.drafts, rest).prefix { $0 == $1 }.count
        result.add(accepted: accepted, limit: rest.count)
        anchor += accepted + 1
      }
    }
    return result
  }
}
