import Analysis
import ArgumentParser
import Files
import Foundation
import Tensors

struct AnalyzeAdviseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise",
    abstract: "Measure this machine, replay traces, and recommend how to decode.",
    discussion: """
      The outputs of a trace say what the target will choose, so every way to draft can be tried on \
      them without the target; short generations measure what rounds cost on this machine. The ways that \
      promise most are then run for a moment, and the tokens per second to expect corrected by what that \
      showed. Trace what you want to run: prompts like your own, at your temperature.

        speculate analyze advise run.jsonl.zst
        speculate analyze advise run.jsonl.zst --drafter small large --weights bf16 int8 --output advice
      """)

  @Argument(
    help: ArgumentHelp(
      "A trace that 'analyze run' or 'generate --trace' wrote.", valueName: "trace"))
  var trace: String
  @Option("Folder of the target. (default: the one that the trace names)", value: "dir")
  var target: String?
  @Option("Folders of drafters to try. (default: those that the trace names)", value: "dir")
  var drafter: [String] = []
  @Option(
    "Formats of the target's matrices to try. (default: those that the trace names)",
    value: "format")
  var weights: [WeightFormat] = []
  @Option("Which of the trace's temperatures to advise for. (default: its first)", value: "t")
  var temperature: Float?
  @OptionGroup var threads: ThreadOptions
  @Option("Prompts to replay, at most, spread over the trace.", value: "n") var limit = 60
  @Option("Also write the curve as SVG and CSV to this folder.", value: "dir", name: .shortAndLong)
  var output: String?
  @Flag(help: "Print the advice as one JSON object.") var json = false

  func validate() throws { try OptionCheck.atLeast(1, ("--limit", limit)) }

  func run() throws {
    if let output { try ReportFolder.check(output) }
    let url = URL(filePath: trace)
    let recorded = try RecordedOutputs(
      Trace.read(url), name: url.lastPathComponent, temperature: temperature, limit: limit)
    let folder = try ModelFolder.url(target ?? recorded.target, option: "--target")
    let named = drafter.isEmpty ? recorded.drafters : drafter
    let drafters =
      named.isEmpty
      ? [try WeightsLocator().folder("drafter")]
      : try named.map { try ModelFolder.url($0, option: "--drafter") }
    let formats = weights.isEmpty ? recorded.formats.compactMap(WeightFormat.init) : weights
    guard !formats.isEmpty else {
      throw SpeculateError("\(trace) names formats that this program doesn't know; give --weights")
    }
    Interruption.watch()
    let advice = try AdviceRun(
      target: folder, drafters: drafters, formats: formats, outputs: recorded,
      threads: threads.count
    ).advice()
    if let output { try advice.write(to: output) }
    let written = output.map { "written to \($0)/advice.svg" }
    try CommandReport(lines: advice.lines + [written].compactMap(\.self), parts: [advice])
      .show(json: json)
  }
}
