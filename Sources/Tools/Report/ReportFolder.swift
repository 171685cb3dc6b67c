import Analysis
import Files
import Foundation

/// The folder that a report is written to.
enum ReportFolder {
  /// Claims the folder before any work is done.
  ///
  /// - Parameter traces: What the report is of; they may not lie in it.
  static func claim(_ path: String, option: String, traces: [String] = []) throws -> OutputClaim {
    try OutputClaim.folder(
      path, option: option, command: "analyze report",
      apartFrom: traces.map { OutputClaim.Input("trace", URL(filePath: $0)) })
  }

  /// Writes the page, and each chart as SVG and CSV. Files of an earlier report are replaced.
  ///
  /// - Throws: `SpeculateError` when a file can't be written.
  static func write(_ report: AnalysisReport, to path: String) throws {
    let charts = Chart.all(report)
    try write(
      page: HTMLReport.page(report, charts: charts), report, charts,
      tables: [("pairs", comparisons(report)), ("summary", summary(report))], to: path)
  }

  /// Writes what a comparison of policies showed.
  ///
  /// - Throws: `SpeculateError` when a file can't be written.
  static func write(_ report: PolicyReport, to path: String) throws {
    let charts = Chart.all(report)
    try write(page: report.page(charts), report, charts, tables: [], to: path)
  }

  private static func write(
    page: String, _ report: some Encodable, _ charts: [Chart],
    tables: [(name: String, table: CSVTable)], to path: String
  ) throws {
    let folder = URL(filePath: path, directoryHint: .isDirectory)
    func write(_ text: String, _ name: String) throws {
      try AtomicFile.write(Data(text.utf8), to: folder.appending(path: name))
    }
    try write(page, "report.html")
    try write(Output.encoded(report) + "\n", "report.json")
    for chart in charts {
      try write(chart.table.text, "\(chart.name).csv")
      for (index, drawing) in chart.drawings.enumerated() {
        let number = index == 0 ? "" : "-\(index + 1)"
        try write(drawing.file, "\(chart.name)\(number).svg")
      }
    }
    for (name, table) in tables { try write(table.text, "\(name).csv") }
  }

  private static func comparisons(_ report: AnalysisReport) -> CSVTable {
    CSVTable(
      [
        "first", "second", "prompts", "speed_ratio", "speed_low", "speed_high", "wins", "p_value",
        "p_corrected", "tau_ratio", "tau_low", "tau_high", "difference",
      ],
      report.comparisons.map { pair in
        [pair.first, pair.second, "\(pair.speed.prompts)", CSVTable.cell(pair.speed.ratio)]
          + CSVTable.cells(pair.speed.interval) + ["\(pair.speed.wins)"]
          + [pair.speed.pValue, pair.correctedPValue, pair.tau.ratio].map(CSVTable.cell)
          + CSVTable.cells(pair.tau.interval) + [pair.isReal ? "real" : "unproven"]
      })
  }

  private static func summary(_ report: AnalysisReport) -> CSVTable {
    CSVTable(
      [
        "configuration", "prompts", "generations", "tokens", "rounds", "tokens_per_second",
        "tokens_per_second_low", "tokens_per_second_high", "speedup", "speedup_low", "speedup_high",
        "tau", "tau_low", "tau_high", "block_efficiency", "draft_acceptance_rate",
        "expected_calibration_error", "expected_speedup", "loop_share", "output_as_plain",
      ],
      report.configurations.map { row in
        [row.name, "\(row.prompts)", "\(row.generations)", "\(row.tokens)", "\(row.rounds)"]
          + CSVTable.cells(row.tokensPerSecond) + CSVTable.cells(row.speedup)
          + CSVTable.cells(row.tau)
          + [
            row.blockEfficiency, row.draftAcceptanceRate.value, row.expectedCalibrationError,
            row.expectedSpeedup, row.loopShare,
          ].map(CSVTable.cell) + [row.identical.map { $0 ? "yes" : "no" } ?? ""]
      })
  }
}
