import Analysis
import Tensors
import Verifier

/// The model of a measurement, and what it ran on.
struct BenchSubject: Encodable {
  let machine: Machine
  let model: String
  let weights: String
  var kvType: String?
  let weightBytes: Int
  var context: Int?
  let rounds: Int

  init(_ machine: Machine, _ name: String, _ model: CausalModel, rounds: Int) {
    self.machine = machine
    self.model = name
    weights = model.formats.description
    weightBytes = model.bytesPerToken
    self.rounds = rounds
  }

  /// `median of 3 measurements`
  static func median(_ rounds: Int) -> String {
    "median of \(rounds) measurement\(rounds == 1 ? "" : "s")"
  }

  var lines: [String] {
    let cache = kvType.map { ", keys and values \($0)" } ?? ""
    return [
      machine.line,
      "\(model), \(weights)\(cache), weights \(Figures.bytes(weightBytes))"
        + (context.map { ", context \($0)" } ?? ""),
    ]
  }
}

/// The least and the greatest of some measurements.
package struct Spread: Codable, Sendable, Equatable {
  package var least: Double
  package var greatest: Double

  /// - Parameter values: At least one.
  package init(_ values: [Double]) {
    least = values.min() ?? 0
    greatest = values.max() ?? 0
  }

  /// `1.02–1.31`
  package func text(_ decimals: Int) -> String {
    "\(Figures.fixed(least, decimals))–\(Figures.fixed(greatest, decimals))"
  }
}
