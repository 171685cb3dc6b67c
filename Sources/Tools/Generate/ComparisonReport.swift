package import Analysis

/// What `--compare` says in the end, as text and as JSON.
package struct ComparisonReport: Encodable, Sendable {
  package struct Prompt: Codable, Sendable {
    package var place: String
    package var endsInLoop: Bool
    package var figures: ComparisonFigures
  }

  package var figures: ComparisonFigures
  package var loopShare: Double
  package var withoutLoops: ComparisonFigures?
  package var prompts: [Prompt]
  package var machine: Machine
  package var interrupted: Bool

  package init(
    _ comparisons: [(place: String, runs: PromptComparison)], machine: Machine, interrupted: Bool
  ) {
    self.machine = machine
    figures = ComparisonFigures(comparisons.map(\.runs))
    let straight = comparisons.map(\.runs).filter { !$0.endsInLoop }
    loopShare =
      comparisons.isEmpty
      ? 0 : Double(comparisons.count - straight.count) / Double(comparisons.count)
    withoutLoops = straight.isEmpty ? nil : ComparisonFigures(straight)
    prompts = comparisons.map {
      Prompt(place: $0.place, endsInLoop: $0.runs.endsInLoop, figures: ComparisonFigures([$0.runs]))
    }
    self.interrupted = interrupted
  }

  /// The text of one prompt: its figures, and its acceptance histogram as a column chart.
  package static func lines(
    number: Int, of total: Int, place: String, runs: PromptComparison
  ) -> [String] {
    let figures = ComparisonFigures([runs])
    var lines = [
      "[\(number)/\(total)] \(place), \(Figures.count(figures.tokens)) tokens"
        + (runs.endsInLoop ? ", ends in a loop" : ""),
      "  \(figures.line)",
    ]
    if let place = runs.divergence { lines.append("  the outputs differ from token \(place) on") }
    let histogram = figures.acceptanceHistogram
    if !histogram.isEmpty {
      let counts = histogram.map(String.init).joined(separator: " ")
      lines.append(
        "  accepted 0…\(histogram.count - 1): \(counts)  \(BarChart.sparkline(histogram))")
    }
    return lines
  }

  /// The text of the whole; the last line is the summary.
  package var lines: [String] {
    var lines: [String] = []
    if !figures.acceptanceHistogram.isEmpty {
      lines.append("drafts accepted in a round, in all:")
      lines += BarChart.lines(figures.acceptanceHistogram, indent: "  ")
    }
    let loops = prompts.filter(\.endsInLoop).count
    if loops > 0 {
      lines.append(
        "\(loops) of \(prompts.count) outputs end in a loop (loop_share "
          + "\(Figures.fixed(loopShare, 2))); the others:")
      lines.append("  " + (withoutLoops?.line ?? "there are none"))
    } else {
      lines.append("no output ends in a loop (loop_share 0.00)")
    }
    lines.append(figures.line)
    return lines
  }

  private enum CodingKeys: CodingKey {
    case loopShare, withoutLoops, prompts, machine, interrupted
  }

  package func encode(to encoder: any Encoder) throws {
    try figures.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(loopShare, forKey: .loopShare)
    try container.encode(withoutLoops, forKey: .withoutLoops)
    try container.encode(prompts, forKey: .prompts)
    try container.encode(machine, forKey: .machine)
    try container.encode(interrupted, forKey: .interrupted)
  }
}
