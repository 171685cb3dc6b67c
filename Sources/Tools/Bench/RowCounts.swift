import ArgumentParser

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
