import Analysis

/// A chart of the report: what is drawn, what is said below it, and the numbers behind it.
struct Chart {
  /// The name of its files, without ending.
  let name: String
  /// What it shows and how to read it.
  let caption: String
  /// One drawing, or several when there are more configurations than one holds.
  let drawings: [SVGDrawing]
  /// The numbers.
  let table: CSVTable

  /// All charts that the report has something for.
  static func all(_ report: AnalysisReport) -> [Chart] {
    [
      speed(report), speedByCategory(report), histogram(report), conditional(report),
      survival(report), expectation(report), calibration(report), times(report),
      rejections(report),
    ].filter { !$0.drawings.isEmpty }
  }

  /// The configurations that draft, as many together as have different colours.
  static func groups(
    _ configurations: [ConfigurationReport], of count: Int = ChartTheme.seriesCount
  ) -> [[ConfigurationReport]] {
    stride(from: 0, to: configurations.count, by: count).map {
      Array(configurations[$0..<min($0 + count, configurations.count)])
    }
  }

  /// The colour and dashes of the n-th configuration of a drawing.
  static func style(_ index: Int) -> (color: String, dash: String) {
    (
      "var(--s\(index % ChartTheme.seriesCount))",
      ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"][index % ChartTheme.seriesCount]
    )
  }

  /// The legend of some configurations.
  static func keys(_ configurations: [ConfigurationReport]) -> [ChartFrame.Key] {
    configurations.enumerated().map { index, configuration in
      let style = style(index)
      return ChartFrame.Key(name: configuration.name, color: style.color, dash: style.dash)
    }
  }
}
