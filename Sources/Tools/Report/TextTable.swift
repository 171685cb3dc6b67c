/// A table of text: the first column to the left, the others to the right.
package enum TextTable {
  /// The heading and the rows, two blanks apart.
  package static func lines(_ heading: [String], _ rows: [[String]]) -> [String] {
    let table = [heading] + rows
    let widths = heading.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        let isText = column == 0 || heading[column].isEmpty
        line += (column == 0 ? "" : "  ") + (isText ? cell + padding : padding + cell)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
