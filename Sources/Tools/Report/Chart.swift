import Analysis

/// A chart of the report: what is drawn, what is said below it, and the numbers behind it.
struct Chart {
  /// The name of its files, without ending.
  let name: String
  /// What it shows and how to read it.
  let caption: String
  /// One drawing, or several when there are more configurations than one holds.
  let drawings: [SVGDrawing]
  let table: CSVTable

  /// All charts that the report has something for.
  static func all(_ report: AnalysisReport) -> [Chart] {
    [
      speed(report), speedByCategory(report), histogram(report), conditional(report),
      survival(report), expectation(report), calibration(report), times(report), rejections(report),
    ].filter { !$0.drawings.isEmpty }
  }

  /// What one drawing has colours for, as often as it takes.
  static func groups<Element>(_ all: [Element]) -> [[Element]] {
    stride(from: 0, to: all.count, by: ChartTheme.seriesCount).map {
      Array(all[$0...].prefix(ChartTheme.seriesCount))
    }
  }

  /// The colour and dashes of the n-th configuration of a drawing.
  static func style(_ index: Int) -> (color: String, dash: String) {
    (
      "var(--s\(index % ChartTheme.seriesCount))",
      ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"][index % ChartTheme.seriesCount]
    )
  }

  /// The legend of some curves.
  static func keys(_ names: [String]) -> [ChartFrame.Key] {
    names.enumerated().map {
      ChartFrame.Key(name: $1, color: style($0).color, dash: style($0).dash)
    }
  }
}
