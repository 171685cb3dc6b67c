import Analysis
import ArgumentParser
import Tensors
import Verifier

/// What a measurement says, as text and as JSON.
struct BenchReport {
  var lines: [String]
  /// What the members of the JSON object are.
  var parts: [any Encodable]

  /// Prints the report, of what Ctrl-C left of the measurement too.
  ///
  /// - Throws: exit code 130 after Ctrl-C.
  func show(json: Bool) throws {
    if json {
      try Output.json(JoinedObject(parts: parts))
    } else {
      try Output.line(lines.joined(separator: "\n"))
    }
    if Interruption.requested { throw Interruption.exitCode }
  }

  /// `median of 3 measurements`
  static func median(_ rounds: Int) -> String {
    "median of \(rounds) measurement\(rounds == 1 ? "" : "s")"
  }
}

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
