import Analysis

struct Cell {
  private let text: String
  private let detail: String
  private let style: String

  init(_ text: String, style: String = "") {
    self.text = text
    detail = ""
    self.style = style
  }

  /// A figure and its interval.
  init(
    _ estimate: ConfigurationReport.Estimate, _ decimals: Int, factor: Double = 1, unit: String = ""
  ) {
    text = Figures.fixed(factor * estimate.value, decimals) + unit
    detail =
      estimate.interval.map {
        "[\(Figures.fixed(factor * $0.low, decimals)), \(Figures.fixed(factor * $0.high, decimals))]"
      } ?? ""
    style = ""
  }

  /// A table; on a narrow screen each row becomes a list of names and values.
  static func table(_ heading: [String], _ rows: [[Cell]]) -> String {
    let head = heading.map { "<th>\(Markup.escaped($0))</th>" }.joined()
    let body = rows.map { row in
      "<tr>" + zip(heading, row).map { $1.markup(name: $0) }.joined() + "</tr>\n"
    }
    return "<table>\n<thead><tr>\(head)</tr></thead>\n<tbody>\n\(body.joined())</tbody>\n</table>"
  }

  private func markup(name: String) -> String {
    guard !text.isEmpty else { return "<td></td>" }
    let content =
      Markup.escaped(text) + (detail.isEmpty ? "" : "<small>\(Markup.escaped(detail))</small>")
    let inner = style.isEmpty ? content : "<span class=\"\(style)\">\(content)</span>"
    return "<td data-name=\"\(Markup.escaped(name))\"><span>\(inner)</span></td>"
  }
}
