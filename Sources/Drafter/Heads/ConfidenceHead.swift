package import Files
import Foundation
package import Tensors

/// How sure a drafter is that the target takes the draft of a row, all before it being right:
/// `σ(w · [h ; W1[previous]] + b + a · ln(q / (1 − q)))`, with the row's normed hidden state h, what earlier
/// heads make of the token before it, and the draft's own probability q.
///
/// Without the last term it is DSpark's (arXiv 2607.05147; docs/algorithms.md 3.3). With it, the head starts as q
/// itself, and learns in how far q is to be believed.
package struct ConfidenceHeadConfiguration: BlockHeadConfiguration {
  package static var name: String { "confidence head" }

  package init() {}

  package init?(_ file: ConfigurationFile, previousWidth: Int) throws {
    guard try file.bool("enable_confidence_head") ?? false else { return nil }
    let seesPrevious = previousWidth > 0
    guard try file.bool("confidence_head_with_markov") ?? seesPrevious == seesPrevious else {
      throw file.problem(
        "'confidence_head_with_markov' is \(!seesPrevious), but is supported "
          + "\(seesPrevious ? "as true only beside" : "as false only without") a Markov head")
    }
  }

  package var summary: String { "yes" }

  package func members(previousWidth: Int) -> [String: JSONValue] {
    [
      "enable_confidence_head": .bool(true),
      "confidence_head_with_markov": .bool(previousWidth > 0),
    ]
  }

  /// w.
  package func weight(_ place: HeadPlace) -> NamedShape {
    NamedShape("confidence_head.proj.weight", [1, place.hidden + place.previousWidth])
  }

  /// b.
  package var bias: NamedShape { NamedShape("confidence_head.proj.bias", [1]) }

  /// a.
  package var own: NamedShape { NamedShape("confidence_head.own.weight", [1]) }

  package func tensors(_ place: HeadPlace) -> [NamedShape] { [weight(place), bias, own] }

  package func load(
    _ source: any WeightSource, _ place: HeadPlace, format: WeightFormat
  ) throws -> any BlockHead {
    // Published heads have no a: it is 0.
    let hasOwn = source.has(own.name)
    return ConfidenceHead(
      weight: try source.values(weight(place)), bias: try source.values(bias),
      own: hasOwn ? try source.values(own) : FloatBuffer(count: 1), hidden: place.hidden)
  }
}

package struct ConfidenceHead: BlockHead {
  let weight: FloatBuffer  // [hidden + previous width]
  let bias: FloatBuffer  // [1]
  let own: FloatBuffer  // [1]
  let hidden: Int

  package func makeState(_ room: HeadRoom) -> any BlockHeadState { ConfidenceState(self, room) }

  /// The log-odds ln(q / (1 − q)) of a probability, as near to 0 and 1 as f32 tells it from them.
  package static func odds(of probability: Float) -> Float {
    let inner = min(max(probability, 1e-6), 1 - 1e-6)
    return log(inner / (1 - inner))
  }
}

/// Gathers what hidden states and tokens before say of rows, as log-odds.
private final class ConfidenceState: BlockHeadState {
  private let head: ConfidenceHead
  private let before: [PreviousRows]
  private var odds: [Float]  // [rows]

  init(_ head: ConfidenceHead, _ room: HeadRoom) {
    self.head = head
    before = room.previous
    odds = [Float](repeating: 0, count: room.rows)
  }

  func prepare(_ rows: [DraftedRow]) {
    for row in rows {
      odds[row.index] = head.bias.base[0]
      add(0, row.hidden, head.hidden, to: row.index)
    }
  }

  func adjust(_ rows: [DraftedRow]) {
    var start = head.hidden
    for part in before {
      for (index, row) in rows.enumerated() {
        add(start, part.values.base + index * part.width, part.width, to: row.index)
      }
      start += part.width
    }
  }

  /// Adds the product of values and the weights from `start` on.
  private func add(_ start: Int, _ values: UnsafePointer<Float>, _ count: Int, to row: Int) {
    var sum = odds[row]
    for column in 0..<count { sum += head.weight.base[start + column] * values[column] }
    odds[row] = sum
  }

  func confidence(of row: Int, probability: Float) -> Float {
    let own = head.own.base[0] * ConfidenceHead.odds(of: probability)
    return 1 / (1 + exp(-(odds[row] + own)))
  }
}
