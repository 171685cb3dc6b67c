/// A histogram of small whole numbers as text.
package enum BarChart {
  /// One line a value: `   3 ████████ 41 (12 %)`. Empty for no counts.
  ///
  /// - Parameters:
  ///   - counts: how often each value 0, 1, … occurred.
  ///   - width: characters of the longest bar.
  ///   - indent: what every line starts with.
  package static func lines(_ counts: [Int], width: Int = 40, indent: String = "") -> [String] {
    let greatest = counts.max() ?? 0
    let total = counts.reduce(0, +)
    guard greatest > 0 else { return [] }
    let label = String(counts.count - 1).count
    return counts.enumerated().map { value, count in
      let eighths = (count * width * 8 + greatest - 1) / greatest
      let bar =
        String(repeating: "█", count: eighths / 8)
        + (eighths % 8 > 0 ? String(Self.eighths[eighths % 8 - 1]) : "")
      let padding = String(repeating: " ", count: label - String(value).count)
      let share = Figures.fixed(100 * Double(count) / Double(total), 1)
      return "\(indent)\(padding)\(value) \(bar)\(bar.isEmpty ? "" : " ")\(count) (\(share) %)"
    }
  }

  /// All counts in one line, as columns one character wide: `▂▁▅█`. Empty for no counts.
  package static func sparkline(_ counts: [Int]) -> String {
    let greatest = counts.max() ?? 0
    guard greatest > 0 else { return "" }
    return String(
      counts.map { count in
        count == 0 ? " " : Self.columns[(count * 8 + greatest - 1) / greatest - 1]
      })
  }

  private static let eighths: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]
  private static let columns: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
}
