import ArgumentParser
import Foundation
import Speculate
import Tensors
import Training

struct DistillTableCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Count what a target's answers say, into a drafter without a network.",
    discussion: """
      Lets the target answer prompts, as 'distill data' does, unless --responses-from names answers made \
      earlier, and keeps what came most often behind runs of up to five tokens. The table drafts in \
      microseconds, is counted in seconds, and needs no training: it is worth as much as a small drafter \
      learns in hours. Matches in the text so far are tried beside it. The same command again goes on \
      where the last one stopped; more --responses add to what is there.

        speculate distill table --target chat.gguf --prompts self --responses 10000 --output table
        speculate distill table --target deep --responses-from answers --output table
        speculate generate --target chat.gguf --drafter table --chat --prompt 'Why is the sky blue?'
      """)

  @Option("Folder of the target, or its GGUF file.") var target: String
  @OptionGroup var prompts: PromptDataFlags
  @Option("Instead of --data: folders of answers made earlier.", value: "dir …")
  var responsesFrom: [String] = []
  @Option("The folder of the table, and of the answers that are made.", name: .shortAndLong)
  var output: String
  @OptionGroup(title: "Responses") var responses: ResponseFlags
  @Option("Seed of prompts and sampling.") var seed: UInt64 = 1
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    guard try prompts.sources.isEmpty != responsesFrom.isEmpty else {
      throw ValidationError(DistillTrainCommand.missing)
    }
  }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    let source: DistillOptions.Responses =
      responsesFrom.isEmpty
      ? .make(try responses.distillOptions(prompts.required(), seed: seed))
      : .made(responsesFrom.map { URL(fileURLWithPath: $0) })
    let options = TableOptions(
      target: folder, responses: source, output: URL(fileURLWithPath: output),
      chat: try prompts.template.settings(), ranks: try Ranks.join())
    let recipe = try TableRecipe(options, workers: Workers(count: threads.count))
    if case .make(let wanted) = source {
      Output.notices(
        of: recipe.target, sampling: SamplingParameters(temperature: wanted.temperature))
    }
    Interruption.watch(patience: nil)
    let answers = try ProgressLine.responses(batch: responses.responseBatch) { report in
      try recipe.respond(shouldStop: { Interruption.requested }, report: report)
    }
    guard let answers else { throw Interruption.resumable() }
    let table = try recipe.write(answers)
    let summary = Summary(
      answers: answers.count, tokens: answers.reduce(0) { $0 + $1.continuation.count },
      runs: table.count)
    if json {
      try Output.json(summary)
    } else {
      try Output.line(
        "\(Figures.count(summary.runs)) runs of \(Figures.count(summary.answers)) answers, "
          + "\(Figures.count(summary.tokens)) tokens, are in \(output)")
    }
  }

  /// What `--json` prints.
  private struct Summary: Encodable {
    var answers: Int
    var tokens: Int
    var runs: Int
  }
}
