import Analysis
import ArgumentParser
import Files
import Foundation

struct AnalyzeReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Report on traces: a summary, a page with charts, and the charts as SVG and CSV.",
    discussion: """
      The summary goes to standard output. With --output, report.html (which needs nothing beside \
      it), report.json with every figure, and each chart as SVG and CSV are written to a folder.

        speculate analyze report run.jsonl.zst --output report
        speculate analyze report monday.jsonl.zst tuesday.jsonl.zst --json
      """)

  @Argument(
    help: ArgumentHelp("Traces that 'analyze run' or 'generate --trace' wrote.", valueName: "trace")
  )
  var traces: [String]
  @Option("The folder to write to.", value: "dir", name: .shortAndLong) var output: String?
  @Flag(help: "Print every figure as one JSON object instead of the summary.") var json = false

  func run() throws {
    let claim = try output.map {
      try ReportFolder.claim($0, option: "--output", traces: traces)
    }
    defer { withExtendedLifetime(claim) {} }
    let report = AnalysisReport(
      try traces.map { path in
        let url = URL(filePath: path)
        return (url.lastPathComponent, try Trace.read(url))
      })
    guard !report.configurations.isEmpty else {
      throw SpeculateError("there is no generation in \(traces.joined(separator: ", ")); run more")
    }
    if let output { try ReportFolder.write(report, to: output) }
    let written = output.map { "written to \($0)/report.html" }
    try CommandReport(
      lines: TerminalReport.lines(report) + [written].compactMap(\.self), parts: [report]
    ).show(json: json)
  }
}
