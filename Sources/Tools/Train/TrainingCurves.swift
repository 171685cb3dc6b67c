import Files
import Foundation

/// The lines of `metrics.jsonl` as curves.
struct TrainingCurves {
  struct Point {
    var step: Double
    var value: Double
  }

  /// What was measured of the drafter at a step.
  struct Evaluation {
    var step: Int
    var acceptanceLength: Double
    var survival: [Double]
    /// The share of answers that end in a loop; `nil` in logs that don't know.
    var loopShare: Double?
    /// Mean acceptance length without these; `nil` where all are.
    var looplessAcceptanceLength: Double?
    /// Mean acceptance length where the engine that serves generated the answers, after the last step.
    var generated: Double?
  }

  /// How a forced model was measured at a step; step 0 is the target that it started from.
  struct Forcing {
    var step: Int
    var bitsPerByte: Double
    var bitsPerToken: Double
    /// Tokens of a pass, of all outputs and of those that don't end in a loop.
    var plain: (all: Double, loopless: Double)
    var full: (all: Double, loopless: Double)
  }

  /// The names of a log's numbers that have a curve.
  enum Name: String, CaseIterable {
    case loss, heldoutLoss, cleanLoss, noisyLoss, rate, gradientNorm, tokensPerSecond
    case anchorsPerSecond, rowsPerSecond, seconds
  }

  private(set) var evaluations: [Evaluation] = []
  private(set) var forcings: [Forcing] = []
  /// The acceptance length of the best drafter, where it is kept.
  private(set) var best: Point?
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
    for name in Name.allCases {
      guard let value = row[name.rawValue]?.number, value.isFinite else { continue }
      points[name, default: []].append(Point(step: Double(step), value: value))
    }
    if forcings.isEmpty, let original = row["original"] { add(forcing: original, step: 0) }
    if let evaluation = row["evaluation"] { add(forcing: evaluation, step: step) }
    guard let length = row["acceptanceLength"]?.number else { return }
    evaluations.append(
      Evaluation(
        step: step, acceptanceLength: length,
        survival: row["survival"]?.elements?.compactMap(\.number) ?? [],
        loopShare: row["loopShare"]?.number,
        looplessAcceptanceLength: row["looplessAcceptanceLength"]?.number,
        generated: Self.ratio(row["generated"]?["acceptance"], "emitted", "rounds")))
    guard let step = row["bestStep"]?.number, let length = row["bestAcceptanceLength"]?.number
    else { return }
    best = Point(step: step, value: length)
  }

  private static func ratio(_ value: JSONValue?, _ part: String, _ whole: String) -> Double? {
    guard let part = value?[part]?.number, let whole = value?[whole]?.number, whole > 0 else {
      return nil
    }
    return part / whole
  }

  private mutating func add(forcing value: JSONValue, step: Int) {
    func rates(_ name: String) -> (all: Double, loopless: Double) {
      (
        Self.ratio(value[name], "tokens", "passes") ?? 0,
        Self.ratio(value[name], "looplessTokens", "looplessPasses") ?? 0
      )
    }
    guard let bits = value["bitsPerByte"]?.number, let tokenBits = value["bitsPerToken"]?.number
    else { return }
    forcings.append(
      Forcing(
        step: step, bitsPerByte: bits, bitsPerToken: tokenBits, plain: rates("plain"),
        full: rates("full")))
  }

  /// A curve; empty where the log has none of the name.
  func callAsFunction(_ name: Name) -> [Point] { points[name] ?? [] }
}
