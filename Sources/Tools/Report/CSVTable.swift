package import Analysis

/// A table as comma-separated values (RFC 4180).
package struct CSVTable {
  private var lines: [String]

  /// Starts a table with its heading.
  package init(_ heading: [String]) { lines = [Self.line(heading)] }

  /// Adds a row.
  package mutating func add(_ cells: [String]) { lines.append(Self.line(cells)) }

  /// The file's text.
  package var text: String { lines.joined(separator: "\r\n") + "\r\n" }

  private static func line(_ cells: [String]) -> String {
    cells.map { cell in
      cell.contains { ",\"\r\n".contains($0) }
        ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }.joined(separator: ",")
  }

  /// A number with all its figures; nothing for none.
  package static func cell(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  /// Both ends of an interval.
  package static func cells(_ interval: Interval?) -> [String] {
    [cell(interval?.low), cell(interval?.high)]
  }
}
