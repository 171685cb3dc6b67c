/// A table of text: names and columns without a heading to the left, the others to the right.
enum TextTable {
  /// The heading and the rows, two blanks apart.
  ///
  /// - Parameter names: How many columns hold names.
  static func lines(_ heading: [String], _ rows: [[String]], names: Int = 1) -> [String] {
    let table = [heading] + rows
    let widths = heading.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        let isText = column < names || heading[column].isEmpty
        line += (column == 0 ? "" : "  ") + (isText ? cell + padding : padding + cell)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
