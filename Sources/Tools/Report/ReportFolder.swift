package import Analysis
import Files
import Foundation

/// The folder that a report is written to.
package enum ReportFolder {
  /// Checks that a folder can be written to, before any work is done, and makes it if it is missing.
  ///
  /// - Throws: `SpeculateError` when it can't be.
  package static func check(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(
        at: URL(filePath: path), withIntermediateDirectories: true)
    } catch {
      throw SpeculateError("\(path): this folder can't be made; give another one")
    }
  }

  /// Writes the page, and each chart as SVG and CSV. Files of an earlier report are replaced.
  ///
  /// - Throws: `SpeculateError` when a file can't be written.
  package static func write(_ report: AnalysisReport, to path: String) throws {
    try check(path)
    let folder = URL(filePath: path, directoryHint: .isDirectory)
    func write(_ text: String, _ name: String) throws {
      try AtomicFile.write(Data(text.utf8), to: folder.appending(path: name))
    }
    let charts = Chart.all(report)
    try write(HTMLReport.page(report, charts: charts), "report.html")
    try write(Output.encoded(report) + "\n", "report.json")
    for chart in charts {
      try write(chart.table.text, "\(chart.name).csv")
      for (index, drawing) in chart.drawings.enumerated() {
        let number = index == 0 ? "" : "-\(index + 1)"
        try write(drawing.file, "\(chart.name)\(number).svg")
      }
    }
    try write(comparisons(report).text, "pairs.csv")
    try write(summary(report).text, "summary.csv")
  }

  private static func comparisons(_ report: AnalysisReport) -> CSVTable {
    var table = CSVTable([
      "first", "second", "prompts", "speed_ratio", "speed_low", "speed_high", "wins", "p_value",
      "p_corrected", "tau_ratio", "tau_low", "tau_high", "difference",
    ])
    for comparison in report.comparisons {
      table.add(
        [
          comparison.first, comparison.second, "\(comparison.speed.prompts)",
          CSVTable.cell(comparison.speed.ratio),
        ] + CSVTable.cells(comparison.speed.interval)
          + [
            "\(comparison.speed.wins)", CSVTable.cell(comparison.speed.pValue),
            CSVTable.cell(comparison.correctedPValue), CSVTable.cell(comparison.tau.ratio),
          ] + CSVTable.cells(comparison.tau.interval) + [comparison.isReal ? "real" : "unproven"])
    }
    return table
  }

  private static func summary(_ report: AnalysisReport) -> CSVTable {
    var table = CSVTable([
      "configuration", "prompts", "generations", "tokens", "rounds", "tokens_per_second",
      "tokens_per_second_low", "tokens_per_second_high", "speedup", "speedup_low", "speedup_high",
      "tau", "tau_low", "tau_high", "block_efficiency", "draft_acceptance_rate",
      "expected_calibration_error", "expected_speedup", "loop_share", "output_as_plain",
    ])
    for row in report.configurations {
      table.add(
        [
          row.name, "\(row.prompts)", "\(row.generations)", "\(row.tokens)", "\(row.rounds)",
          CSVTable.cell(row.tokensPerSecond.value),
        ] + CSVTable.cells(row.tokensPerSecond.interval) + [CSVTable.cell(row.speedup?.value)]
          + CSVTable.cells(row.speedup?.interval) + [CSVTable.cell(row.tau.value)]
          + CSVTable.cells(row.tau.interval)
          + [
            CSVTable.cell(row.blockEfficiency), CSVTable.cell(row.draftAcceptanceRate.value),
            CSVTable.cell(row.expectedCalibrationError), CSVTable.cell(row.expectedSpeedup),
            CSVTable.cell(row.loopShare), row.identical.map { $0 ? "yes" : "no" } ?? "",
          ])
    }
    return table
  }
}
