import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate
import Tensors
import Text
import Training

struct AnalyzeRunCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run configurations side by side on prompt sets, and trace every round.",
    discussion: """
      Every combination of decoders, drafters, draft lengths, temperatures and formats is run, and plain \
      decoding beside each of them, in turn on every prompt, so that speed-ups compare runs of the same \
      minute. Lines of prompt files are those of Spec-Bench, MT-Bench, HumanEval, MBPP, GSM8K or \
      MATH-500, or objects with "prompt" or "text", or chats, "messages" or "turns", which the \
      target's chat template writes; any other file is one prompt. The same command again goes on \
      where Ctrl-C stopped the last one.

        speculate analyze run --prompts humaneval.jsonl mbpp.jsonl --sample 60 \\
          --draft-length auto 3 7 --trace run.jsonl.zst --report report
        speculate analyze run --prompts heldout.jsonl.zst --prompt-tokens 64 --sample 60 \\
          --decoder draft jacobi --suffix on off --temperature 0 1 --trace run.jsonl.zst
      """)

  @OptionGroup(title: "Prompts") var prompts: PromptSetOptions
  @OptionGroup(title: "Prompts") var chat: ChatFlags
  @OptionGroup(title: "Prompts") var template: ChatTemplateFlags
  @OptionGroup(title: "Models") var target: TargetOptions
  @Option("Formats to hold the target's matrices in. (default: as stored)", value: "format")
  var weights: [WeightFormat] = []
  @Option("Temperatures; 0 is greedy decoding.", value: "t") var temperature: [Float] = [0]
  @OptionGroup(title: "Decoders") var decoding: DecodingListOptions
  @OptionGroup(title: "Sampling") var sampling: AnalysisSamplingOptions
  @OptionGroup var threads: ThreadOptions
  @Option("Runs of every configuration on every prompt.", value: "n") var repeats = 1
  @Option("The trace to write, .jsonl or .jsonl.zst.", value: "file") var trace: String
  @Option("Also write a report to this folder.", value: "dir") var report: String?
  @Flag(help: "Print the summary as one JSON object.") var json = false

  func validate() throws {
    try OptionCheck.range("--repeats", repeats, 1...1000)
    for temperature in temperature { _ = try parameters(temperature) }
    try sampling.filters.check(temperature.allSatisfy { $0 == 0 })
  }

  private func parameters(_ temperature: Float) throws -> GenerationParameters {
    try OptionCheck.library(sampling.parameters(temperature: temperature).validated)
  }

  func run() throws {
    let ranks = try Ranks.join()
    let url = URL(filePath: trace)
    // The claim first: it takes away the lock that a killed process left beside a finished trace.
    let claim =
      ranks.isFirst
      ? try OutputClaim.file(
        url, option: "--trace",
        apartFrom: prompts.files.map { OutputClaim.Input("prompts", URL(filePath: $0)) }) : nil
    if ranks.isFirst { try TraceWriter.checkName(url) }
    let reportClaim = try (ranks.isFirst ? report : nil).map {
      try ReportFolder.claim($0, option: "--report", traces: [trace])
    }
    defer { withExtendedLifetime(reportClaim) {} }
    let tasks = try prompts.read()
    let folder = try target.folder()
    let configurations = try ConfigurationGrid(
      target: folder, ways: decoding.ways(for: target), formats: weights.isEmpty ? [nil] : weights,
      parameters: temperature.map(parameters), threads: threads.count,
      chat: try template.settings()
    ).configurations()
    // Templates that write the date write the same one when a run goes on some other day.
    let encoder = PromptEncoder(
      configurations[0].generator, isChat: chat.isOn, system: chat.system,
      now: ChatEncoder.fixedTime)
    let run = try AnalysisRun(
      tasks: tasks, encoder: encoder, configurations: configurations, turns: prompts.turns,
      promptTokens: prompts.promptTokens, repeats: repeats, threads: threads.count,
      ranks: ranks)
    Interruption.watch()
    try run.run(to: url, claim: claim)
    guard ranks.isFirst else { return }
    let analysis = AnalysisReport([(url.lastPathComponent, try Trace.read(url))])
    if let report { try ReportFolder.write(analysis, to: report) }
    if json {
      try Output.json(analysis)
    } else {
      try Output.line(TerminalReport.lines(analysis).joined(separator: "\n"))
    }
    if let name = analysis.configurations.first(where: { $0.identical == false })?.name {
      Failure.say(
        "outputs of \(name) differ from plain decoding's, which is a fault of this program; please "
          + "report it")
      throw ExitCode.failure
    }
  }
}

/// How the target's tokens are chosen in an analysis; temperatures are compared, and so apart.
struct AnalysisSamplingOptions: ParsableArguments {
  @Option("Tokens to generate at most.", value: "n") var maxTokens = 128
  @OptionGroup var filters: SamplingFilterOptions

  func parameters(temperature: Float) -> GenerationParameters {
    GenerationParameters(
      sampling: filters.sampling(temperature: temperature), maximumTokens: maxTokens,
      ignoresEnd: filters.ignoreEnd)
  }
}
