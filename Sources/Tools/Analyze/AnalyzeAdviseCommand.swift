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
  @Option(
    """
    Folders of drafters to try; matches in the text so far are tried beside them. 'suffix' tries these \
    alone, and 'none' no drafts. (default: those that the trace names)
    """, value: "dir|suffix|none")
  var drafter: [DrafterChoice] = []
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

  func validate() throws {
    try OptionCheck.atLeast(1, ("--limit", limit))
    if drafter.contains(.none) && drafter.count > 1 {
      throw ValidationError("--drafter none stands alone: leave it or the others out")
    }
  }

  func run() throws {
    let url = URL(filePath: trace)
    let claim = try output.map {
      try OutputClaim.folder(
        $0, option: "--output", command: "analyze advise",
        apartFrom: [OutputClaim.Input("trace", url)])
    }
    defer { withExtendedLifetime(claim) {} }
    let recorded = try RecordedOutputs(
      Trace.read(url), name: url.lastPathComponent, temperature: temperature, limit: limit)
    let folder = try ModelFolder.url(target ?? recorded.target, option: "--target")
    // Another folder that is named may hold the same model in another format.
    if target == nil, let weights = recorded.targetWeights,
      try weights != ModelFingerprint.of(folder)
    {
      throw SpeculateError(
        "\(trace): its outputs are not those of the weights that are in \(folder.path) now; trace them "
          + "again, or give the model's folder with --target")
    }
    let drafters =
      drafter.isEmpty
      ? try named(recorded, target: folder)
      : try drafter.compactMap { choice in
        guard case .folder(let path) = choice else { return nil }
        return try ModelFolder.url(path, option: "--drafter")
      }
    let formats = weights.isEmpty ? recorded.formats.compactMap(WeightFormat.init) : weights
    guard !formats.isEmpty else {
      throw SpeculateError("\(trace) names formats that this program doesn't know; give --weights")
    }
    Interruption.watch()
    let advice = try AdviceRun(
      target: folder, drafters: drafters, looksUp: drafter != [.none], formats: formats,
      outputs: recorded, threads: threads.count
    ).advice()
    if let output { try advice.write(to: output) }
    let written = output.map { "written to \($0)/advice.svg" }
    try CommandReport(lines: advice.lines + [written].compactMap(\.self), parts: [advice])
      .show(json: json)
  }

  /// The drafters of a trace; where it names none, the embedded one if it fits.
  private func named(_ recorded: RecordedOutputs, target: URL) throws -> [URL] {
    guard recorded.drafters.isEmpty else {
      return try recorded.drafters.map { try ModelFolder.url($0, option: "--drafter") }
    }
    return DrafterSource.embedded(for: target).map { [$0] } ?? []
  }
}
