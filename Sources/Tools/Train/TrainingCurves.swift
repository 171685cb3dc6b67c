import Foundation
import Tensors

/// The lines of `metrics.jsonl` as curves.
struct TrainingCurves {
  /// A value at a step.
  struct Point {
    var step: Double
    var value: Double
  }

  /// What was measured of the drafter at a step.
  struct Evaluation {
    var step: Int
    var acceptanceLength: Double
    var survival: [Double]
  }

  /// The names of a log's numbers that have a curve.
  enum Name: String {
    case loss, heldoutLoss, rate, gradientNorm, tokensPerSecond, anchorsPerSecond, seconds
  }

  private(set) var evaluations: [Evaluation] = []
  private var points: [Name: [Point]] = [:]

  /// Reads a log. Of steps that a run took twice, after an interruption, the later lines count; a
  /// line that an interruption cut short counts for nothing.
  ///
  /// - Throws: When there is no log in the folder.
  init(folder: URL) throws {
    let reader = try LineReader(url: folder.appending(path: "metrics.jsonl"))
    var rows: [(step: Int, row: JSONValue)] = []
    while let line = try reader.next() {
      guard let row = try? JSONValue(parsing: line), let step = row["step"]?.number,
        let step = Int(exactly: step)
      else { continue }
      // A run that went back to its checkpoint takes the later steps anew.
      while let last = rows.last, last.step >= step { rows.removeLast() }
      rows.append((step, row))
    }
    for (step, row) in rows { add(row, step: step) }
  }

  private mutating func add(_ row: JSONValue, step: Int) {
    for name in [
      Name.loss, .heldoutLoss, .rate, .gradientNorm, .tokensPerSecond, .anchorsPerSecond, .seconds,
    ] {
      guard let value = row[name.rawValue]?.number, value.isFinite else { continue }
      points[name, default: []].append(Point(step: Double(step), value: value))
    }
    guard let length = row["acceptanceLength"]?.number else { return }
    evaluations.append(
      Evaluation(
        step: step, acceptanceLength: length,
        survival: row["survival"]?.elements?.compactMap(\.number) ?? []))
  }

  /// A curve; empty where the log has none of the name.
  func callAsFunction(_ name: Name) -> [Point] { points[name] ?? [] }
}
