import Analysis
import ArgumentParser
import Files
import Speculate

/// Runs plain and speculative decoding in turn for every prompt, and tells whether and how much
/// they differ.
struct ComparisonRun {
  let decoder: AlternatingDecoder
  let prompts: [EncodedPrompt]
  let repeats: Int
  let threads: Int
  /// Whether to show what both kinds wrote.
  let echo: Bool
  let json: Bool
  let stats: Bool

  /// Compares all prompts, or as many as Ctrl-C lets it.
  ///
  /// - Throws: exit code 1 when ids differ, 130 after Ctrl-C.
  func run() throws {
    try announce()
    if let first = prompts.first { try decoder.warmUp(first) }
    let progress = json ? ProgressLine("comparing", unit: "prompts", total: prompts.count) : nil
    var comparisons: [(place: String, runs: PromptComparison)] = []
    for (index, prompt) in prompts.enumerated() {
      guard let runs = try compare(prompt) else { break }
      comparisons.append((prompt.place, runs))
      progress?.update(index + 1)
      if !json {
        let lines = ComparisonReport.lines(
          number: index + 1, of: prompts.count, place: prompt.place, runs: runs)
        if echo { try show(prompt, runs) }
        try Output.line(lines.joined(separator: "\n"))
      }
    }
    progress?.clear()
    try report(comparisons)
  }

  /// The prompt, and both outputs side by side.
  private func show(_ prompt: EncodedPrompt, _ runs: PromptComparison) throws {
    guard let ids = runs.outputs else { return }
    func column(_ name: String, _ ids: [Token], _ seconds: Double) -> String {
      let text = decoder.generator.tokenizer.decode(ids, skipSpecial: true).drop { $0.isWhitespace }
      return "\(name), \(Figures.fixed(seconds, 2)) s\n\n\(text)"
    }
    let lines = TextColumns(width: Output.terminalWidth()).lines(
      column("plain", ids.plain, runs.plainSeconds),
      column("speculative", ids.speculative, runs.speculativeSeconds))
    try Output.line("\n" + prompt.said + "\n\n" + lines.joined(separator: "\n") + "\n")
  }

  private func announce() throws {
    guard !json else { return }
    let parameters = decoder.parameters
    let runs = repeats == 1 ? "1 run" : "\(repeats) runs"
    try Output.line(Machine(threads: threads).line)
    try Output.line(
      "\(prompts.count) prompt\(prompts.count == 1 ? "" : "s"), \(runs) of each kind in turn, "
        + "at most \(parameters.maximumTokens) tokens, "
        + (parameters.sampling.isGreedy
          ? "greedy" : "temperature \(parameters.sampling.temperature)"))
  }

  /// All runs of one prompt; nil when Ctrl-C came before the first pair was complete.
  private func compare(_ prompt: EncodedPrompt) throws -> PromptComparison? {
    var runs = PromptComparison()
    for number in 0..<repeats {
      guard try decoder.run(prompt, number: number, into: &runs) else { break }
    }
    return runs.rounds > 0 ? runs : nil
  }

  private func report(_ comparisons: [(place: String, runs: PromptComparison)]) throws {
    Interruption.finish()
    let interrupted = Interruption.requested
    let report = ComparisonReport(
      comparisons, machine: Machine(threads: threads), interrupted: interrupted)
    if json {
      try Output.json(report)
    } else if comparisons.isEmpty {
      Output.note("interrupted before the first prompt was compared\n")
    } else {
      if interrupted {
        try Output.line("interrupted: \(comparisons.count) of \(prompts.count) prompts compared")
      }
      if stats {
        let all = comparisons.reduce(into: GenerationStatistics()) {
          $0 += $1.runs.speculativeStatistics
        }
        let lines = StatisticsReport.lines(all, title: "all speculative runs")
        try Output.line(lines.joined(separator: "\n"))
      }
      try Output.line(report.lines.joined(separator: "\n"))
    }
    guard report.figures.identical else {
      Failure.say(AlternatingDecoder.fault)
      throw ExitCode.failure
    }
    if Interruption.requested { throw Interruption.exitCode }
  }
}
