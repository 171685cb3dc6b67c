import Analysis

/// A table as comma-separated values (RFC 4180).
struct CSVTable {
  private let lines: [String]

  init(_ heading: [String], _ rows: [[String]]) { lines = ([heading] + rows).map(Self.line) }

  var text: String { lines.joined(separator: "\r\n") + "\r\n" }

  private static func line(_ cells: [String]) -> String {
    cells.map { cell in
      cell.contains { ",\"\r\n".contains($0) }
        ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }.joined(separator: ",")
  }

  /// A number with all its figures; nothing for none.
  static func cell(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  static func cells(_ interval: Interval?) -> [String] {
    [cell(interval?.low), cell(interval?.high)]
  }

  /// A figure and both ends of its interval.
  static func cells(_ estimate: ConfigurationReport.Estimate?) -> [String] {
    [cell(estimate?.value)] + cells(estimate?.interval)
  }
}
