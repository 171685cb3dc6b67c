import Analysis
import Foundation
import Speculate

/// The report as one page that needs nothing beside it.
enum HTMLReport {
  static func page(_ report: AnalysisReport, charts: [Chart]) -> String {
    ReportPage.html(
      title: "Acceptance-length analysis",
      parts: [
        heading(report), answer(report), summary(report), ReportPage.figures(charts),
        comparisons(report), loops(report), sources(report), settings(report), examples(report),
      ])
  }

  private static func heading(_ report: AnalysisReport) -> String {
    let tokens = report.configurations.reduce(0) { $0 + $1.tokens }
    return """
      <h1>Acceptance-length analysis</h1>
      <p class="soft">\(report.machines.map { Markup.escaped($0.line) }.joined(separator: "<br>"))<br>
      \(Figures.count(report.prompts)) prompts, \(report.configurations.count) configurations, \
      \(Figures.count(tokens)) tokens, from \(Markup.escaped(report.traces.joined(separator: ", ")))</p>
      """
  }

  /// What somebody wants to know who reads one sentence only.
  private static func answer(_ report: AnalysisReport) -> String {
    let different = report.configurations.filter { $0.identical == false }.map(\.name)
    var text = ""
    if !different.isEmpty {
      text += """
        <p class="answer bad">Outputs of \(Markup.escaped(different.joined(separator: ", "))) differ from \
        plain decoding's: their figures mean nothing until that is repaired.</p>

        """
    }
    guard let fastest = TerminalReport.fastest(report) else { return text }
    var sentence =
      "Fastest: <strong>\(Markup.escaped(fastest.name))</strong> with "
      + "\(Figures.rate(fastest.tokensPerSecond.value)) tokens/s"
    if let speedup = fastest.speedup {
      sentence +=
        ", \(TerminalReport.estimate(speedup)) times plain decoding, at a mean acceptance length of "
        + Figures.fixed(fastest.tau.value, 2)
    }
    let ties = report.comparisons.filter { $0.second == fastest.name && !$0.isReal }.map(\.first)
    if !ties.isEmpty {
      sentence += ". Not proven slower: \(Markup.escaped(ties.joined(separator: ", ")))"
    }
    return text + "<p class=\"answer\">\(sentence).</p>"
  }

  private static func summary(_ report: AnalysisReport) -> String {
    let rows = report.configurations.map { configuration -> [Cell] in
      [
        Cell(configuration.name), Cell(configuration.tokensPerSecond, 1),
        configuration.speedup.map { Cell($0, 2) } ?? Cell(""), Cell(configuration.tau, 2),
        Cell(configuration.drafts ? Figures.fixed(configuration.blockEfficiency, 2) : ""),
        configuration.drafts
          ? Cell(configuration.draftAcceptanceRate, 1, factor: 100, unit: " %") : Cell(""),
        Cell(configuration.expectedCalibrationError.map { Figures.fixed($0, 3) } ?? ""),
        Cell(configuration.expectedSpeedup.map { Figures.fixed($0, 2) } ?? ""),
      ]
    }
    return """
      <h2>Summary</h2>
      \(Cell.table(
        [
          "configuration", "tokens/s", "speed-up", "mean acceptance length τ", "block efficiency",
          "draft acceptance rate", "ECE", "expected speed-up",
        ], rows))
      <p class="soft">τ is the tokens of a target pass, the bonus token included. Block efficiency is \
      the same over the passes that verified drafts. Brackets are \
      \(Figures.fixed(100 * report.confidence, 0)) % bootstrap intervals over prompts \
      (\(Figures.count(report.bootstrapSamples)) samples).</p>
      """
  }

  private static func comparisons(_ report: AnalysisReport) -> String {
    guard !report.comparisons.isEmpty else { return "" }
    let rows = report.comparisons.map { comparison -> [Cell] in
      [
        Cell("\(comparison.second) over \(comparison.first)"),
        Cell(.init(value: comparison.speed.ratio, interval: comparison.speed.interval), 2),
        Cell(.init(value: comparison.tau.ratio, interval: comparison.tau.interval), 2),
        Cell("\(comparison.speed.wins) of \(comparison.speed.prompts)"),
        Cell(TerminalReport.pValue(comparison.correctedPValue)),
        Cell(
          comparison.isReal ? "real" : "may be chance", style: comparison.isReal ? "good" : "soft"),
      ]
    }
    return """
      <h2>Pairs</h2>
      \(Cell.table(["pair", "speed", "τ", "faster on", "p", "difference"], rows))
      <p class="soft">Each prompt is compared with itself. p is a randomisation test's over the signs of \
      the prompts' differences, corrected for the number of pairs (Holm); a difference is called real \
      if p is below 0.05 and the interval leaves 1 out.</p>
      """
  }

  private static func loops(_ report: AnalysisReport) -> String {
    let rows = report.configurations.map { configuration -> [Cell] in
      [
        Cell(configuration.name), Cell("\(Figures.fixed(100 * configuration.loopShare, 1)) %"),
        Cell(configuration.withoutLoops.map { "\($0.prompts)" } ?? ""),
        Cell(configuration.withoutLoops.map { Figures.fixed($0.tau, 2) } ?? ""),
        Cell(configuration.withoutLoops?.speedup.map { Figures.fixed($0, 2) } ?? ""),
      ]
    }
    return """
      <h2>Loops</h2>
      \(Cell.table(
        ["configuration", "loop share", "prompts without", "their τ", "their speed-up"], rows))
      <p class="soft">Outputs whose last 40 tokens repeat with a period of at most 20. Any drafter guesses \
      a loop, so that loops flatter; figures without them are the ones to trust.</p>
      """
  }

  private static func sources(_ report: AnalysisReport) -> String {
    let rows = report.configurations.flatMap { configuration in
      configuration.sources.map { source -> [Cell] in
        [
          Cell(configuration.name), Cell(source.source.rawValue),
          Cell(Figures.count(source.rounds)), Cell(Figures.count(source.verified)),
          Cell(Figures.count(source.accepted)),
          Cell("\(Figures.fixed(100 * source.conditionalRate, 1)) %"),
          Cell("\(Figures.fixed(100 * source.shareOfTokens, 1)) %"),
        ]
      }
    }
    guard Set(report.configurations.flatMap(\.sources).map(\.source)).count > 1 else { return "" }
    return """
      <h2>Sources of drafts</h2>
      \(Cell.table(
        [
          "configuration", "source", "rounds", "verified", "accepted", "accepted when asked",
          "of all tokens",
        ], rows))
      <p class="soft">A draft was asked about when all before it were accepted. Where sources agree on a \
      draft, it is counted for the first of them, the drafter before earlier text.</p>
      """
  }

  private static func settings(_ report: AnalysisReport) -> String {
    let rows = report.configurations.map { configuration -> [Cell] in
      let settings = configuration.settings
      return [
        Cell(configuration.name), Cell(settings.decoder),
        Cell(settings.drafter.map { URL(filePath: $0).lastPathComponent } ?? ""),
        Cell(
          settings.decoder == "plain"
            ? "" : settings.draftLength.map(String.init) ?? "as many as pay"),
        Cell(settings.suffix.map { $0 ? "yes" : "no" } ?? ""),
        Cell(settings.recycling.map { $0 ? "yes" : "no" } ?? ""),
        Cell("\(settings.sampling.temperature)"), Cell(settings.format),
        Cell("\(settings.maximumTokens)"), Cell("\(configuration.prompts)"),
        Cell(Figures.count(configuration.rounds)),
        Cell(configuration.identical.map { $0 ? "yes" : "NO" } ?? ""),
      ]
    }
    return """
      <h2>What was run</h2>
      \(Cell.table(
        [
          "configuration", "decoder", "drafter", "drafts", "earlier text", "recycling", "temperature",
          "format", "most tokens", "prompts", "rounds", "output as plain",
        ], rows))
      """
  }

  private static func examples(_ report: AnalysisReport) -> String {
    guard !report.examples.isEmpty else { return "" }
    return """
      <h2>Rejected drafts</h2>
      <p class="soft">Where each configuration's drafter was surest and still wrong, one place from a \
      prompt: the text, <strong>drafts that were kept</strong>, the draft that was not, and the target's own \
      token. Below, what both models thought most probable there.</p>
      <div class="charts">
      \(report.examples.map(example).joined())</div>
      """
  }

  private static func example(_ example: RejectionExample) -> String {
    """
    <section class="example">
    <p class="soft">\(Markup.escaped(example.configuration)) · \(Markup.escaped(example.category)) · \
    \(Markup.escaped(example.prompt))</p>
    <pre>\(Markup.escaped(example.context))\(DraftedText.markup(
      accepted: example.accepted, rejected: example.rejected,
      chosen: DraftedText.visible(example.chosen)))</pre>
    <div class="candidates">
    <div>\(Markup.escaped(example.source))\(list(example.draftCandidates))</div>
    <div>target\(list(example.targetCandidates))</div>
    </div>
    </section>

    """
  }

  private static func list(_ candidates: [RejectionExample.Candidate]) -> String {
    guard !candidates.isEmpty else { return "<p class=\"soft\">has no probabilities</p>" }
    let items = candidates.map { candidate in
      "<li\(candidate.isChosen ? " class=\"chosen\"" : "")><code>\(DraftedText.visible(candidate.text))</code>"
        + "<span>\(Figures.fixed(100 * candidate.probability, 1)) %</span></li>"
    }
    return "<ol>\(items.joined())</ol>"
  }
}
