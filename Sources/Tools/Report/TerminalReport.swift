import Analysis

/// The summary of a report as text.
enum TerminalReport {
  /// Lines without colour, at most about 100 columns wide for names of usual length.
  static func lines(_ report: AnalysisReport) -> [String] {
    var lines = report.machines.map(\.line)
    let tokens = report.configurations.reduce(0) { $0 + $1.tokens }
    lines.append(
      "\(Figures.count(report.prompts)) prompts, \(report.configurations.count) configurations, "
        + "\(Figures.count(tokens)) tokens; [ ] are "
        + "\(Figures.fixed(100 * report.confidence, 0)) % intervals over prompts")
    lines.append("")
    lines += TextTable.lines(
      ["configuration", "tok/s", "speed-up", "tau (with bonus)", "accepted", "ECE", "loops"],
      report.configurations.map(row))
    lines += differences(report)
    lines += expectations(report)
    lines += endings(report)
    lines += report.configurations.filter(\.drafts).flatMap(histogram)
    let names = report.configurations.filter { $0.identical == false }.map(\.name)
    lines.append("")
    if !names.isEmpty {
      lines.append("outputs DIFFER from plain decoding's: \(names.joined(separator: ", "))")
    } else if report.configurations.contains(where: { $0.identical == true }) {
      lines.append("all outputs are those of plain decoding")
    }
    if let best = best(report) { lines.append(best) }
    return lines
  }

  /// The fastest configuration; nil where there is no other.
  static func fastest(_ report: AnalysisReport) -> ConfigurationReport? {
    guard report.configurations.count > 1 else { return nil }
    return report.configurations.max { $0.tokensPerSecond.value < $1.tokensPerSecond.value }
  }

  /// `fastest: draft 3, 1.42x plain decoding, tau 3.10`
  private static func best(_ report: AnalysisReport) -> String? {
    guard let fastest = fastest(report) else { return nil }
    var line = "fastest: \(fastest.name), \(Figures.rate(fastest.tokensPerSecond.value)) tok/s"
    if let speedup = fastest.speedup {
      line += ", \(Figures.fixed(speedup.value, 2)) times plain decoding"
    }
    return line + ", tau \(Figures.fixed(fastest.tau.value, 2))"
  }

  private static func row(_ configuration: ConfigurationReport) -> [String] {
    [
      configuration.name, Figures.rate(configuration.tokensPerSecond.value),
      configuration.speedup.map(estimate) ?? "",
      configuration.drafts
        ? estimate(configuration.tau) : Figures.fixed(configuration.tau.value, 2),
      configuration.drafts
        ? "\(Figures.fixed(100 * configuration.draftAcceptanceRate.value, 1)) %" : "",
      configuration.expectedCalibrationError.map { Figures.fixed($0, 3) } ?? "",
      "\(Figures.fixed(100 * configuration.loopShare, 0)) %",
    ]
  }

  /// `1.42 [1.31, 1.55]`
  static func estimate(_ estimate: ConfigurationReport.Estimate) -> String {
    Figures.fixed(estimate.value, 2)
      + (estimate.interval.map {
        " [\(Figures.fixed($0.low, 2)), \(Figures.fixed($0.high, 2))]"
      } ?? "")
  }

  private static func differences(_ report: AnalysisReport) -> [String] {
    guard !report.comparisons.isEmpty else { return [] }
    return ["", "pairs on the same prompts (p corrected for their number, after Holm):"]
      + TextTable.lines(
        ["second", "over first", "speed", "p", "wins", ""],
        report.comparisons.map { comparison in
          [
            comparison.second, comparison.first,
            estimate(.init(value: comparison.speed.ratio, interval: comparison.speed.interval)),
            pValue(comparison.correctedPValue),
            "\(comparison.speed.wins)/\(comparison.speed.prompts)",
            comparison.isReal ? "real" : "may be chance",
          ]
        })
  }

  /// A p-value as it is usually given.
  static func pValue(_ value: Double) -> String {
    value < 0.001 ? "<0.001" : Figures.fixed(value, 3)
  }

  private static func expectations(_ report: AnalysisReport) -> [String] {
    let rows = report.configurations.compactMap { configuration -> [String]? in
      guard let expected = configuration.expectedSpeedup, let measured = configuration.speedup
      else { return nil }
      return [
        configuration.name, Figures.fixed(expected, 2), Figures.fixed(measured.value, 2),
        Figures.fixed(100 * (expected / measured.value - 1), 1) + " %",
      ]
    }
    guard !rows.isEmpty else { return [] }
    return ["", "speed-up by the cost model, and measured:"]
      + TextTable.lines(["configuration", "expected", "measured", "off by"], rows)
  }

  private static func endings(_ report: AnalysisReport) -> [String] {
    let rows = report.configurations.compactMap { configuration -> [String]? in
      let counts = configuration.rejections
      guard counts.all > 0 else { return nil }
      func share(_ part: Int, of whole: Int) -> String {
        whole > 0 ? "\(Figures.fixed(100 * Double(part) / Double(whole), 0)) %" : ""
      }
      return [
        configuration.name, Figures.count(counts.all),
        share(counts.byRank.dropFirst().first ?? 0, of: counts.total),
        share(counts.byRank.dropFirst(2).reduce(0, +), of: counts.total),
        share(counts.elsewhere, of: counts.total), share(counts.unsure, of: counts.all),
      ]
    }
    guard !rows.isEmpty else { return [] }
    return ["", "why blocks end: the target's token among the drafter's candidates"]
      + TextTable.lines(
        ["configuration", "rejections", "second", "3rd to 5th", "further down", "target unsure"],
        rows)
  }

  private static func histogram(_ configuration: ConfigurationReport) -> [String] {
    ["", "\(configuration.name): drafts accepted in a round"]
      + BarChart.lines(configuration.acceptanceHistogram, indent: "  ")
  }
}
