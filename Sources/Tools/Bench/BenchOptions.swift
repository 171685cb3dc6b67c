import ArgumentParser
import Verifier

/// How often a measurement is repeated.
struct BenchRoundOptions: ParsableArguments {
  @Option("Measurements to take the median of.", value: "n", name: .customLong("rounds"))
  var count = Self.usual

  static let usual = 9

  func validate() throws { try Self.check(count) }

  static func check(_ count: Int?) throws { try OptionCheck.range("--rounds", count, 1...10_000) }
}

/// How many positions a cache holds before a measurement.
struct BenchContextOptions: ParsableArguments {
  @Option(
    "Positions in the cache before a measurement. (default: 256, or fewer in a small context)",
    value: "n", name: .customLong("context"))
  var requested: Int?

  func validate() throws { try OptionCheck.range("--context", requested, 1...1_000_000) }

  /// The number of positions, leaving room for `rows` more unless it was asked for.
  func count(for model: CausalModel, leaving rows: Int) -> Int {
    requested ?? max(1, min(256, model.configuration.maximumContext - rows))
  }
}

/// A list of row counts as an option's value: `1,2,4,8`.
struct RowCounts: ExpressibleByArgument, CustomStringConvertible {
  /// The counts, ascending and without repetition; never empty.
  let values: [Int]

  /// The widths whose times make the curve `t(M) / t(1)`.
  static let curve = RowCounts([1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64])

  private init(_ values: [Int]) { self.values = values }

  /// Reads whole numbers from 1 to 512, separated by commas.
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count, numbers.allSatisfy((1...512).contains) else { return nil }
    values = Set(numbers).sorted()
  }

  var description: String { values.map(String.init).joined(separator: ",") }
  var defaultValueDescription: String { description }
}

/// A matrix's size as an option's value: `4096x1024` has 4096 outputs and 1024 inputs.
struct MatrixSize: ExpressibleByArgument, CustomStringConvertible {
  let rows: Int
  let columns: Int

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// Reads two whole numbers from 1 to 262144 with an `x` between them.
  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == 2, parts.count == 2, numbers.allSatisfy((1...1 << 18).contains) else {
      return nil
    }
    self.init(rows: numbers[0], columns: numbers[1])
  }

  var description: String { "\(rows)x\(columns)" }
  var defaultValueDescription: String { description }
}
