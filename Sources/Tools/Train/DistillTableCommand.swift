import ArgumentParser
import Files
import Foundation
import Speculate
import Tensors
import Text
import Training
import Verifier

struct DistillTableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Count what a target's answers say, into a drafter without a network.",
    discussion: """
      Reads answers that 'distill data' made, and keeps what came most often behind runs of up to five \
      tokens. The table drafts in microseconds, is made in seconds, and needs no training: it is worth \
      as much as a small drafter learns in hours. Matches in the text so far are tried beside it.

        speculate distill data --target chat.gguf --prompts self --responses 10000 --output answers
        speculate distill table --target chat.gguf --responses-from answers --output table
        speculate generate --target chat.gguf --drafter table --chat --prompt 'Why is the sky blue?'
      """)

  @Option("Folder of the target, or its GGUF file.") var target: String
  @Option("Folders of answers made earlier.", value: "dir …")
  var responsesFrom: [String] = []
  @Option("The folder of the table.", name: .shortAndLong) var output: String
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    if responsesFrom.isEmpty {
      throw ValidationError(
        "--responses-from is missing: name folders that 'speculate distill data' wrote")
    }
  }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    let answers = responsesFrom.map { URL(fileURLWithPath: $0) }
    let place = URL(fileURLWithPath: output)
    let claim = try OutputClaim(
      folder: place, for: OutputClaim.Job("distill table"),
      apartFrom: [OutputClaim.Input("target", folder)]
        + answers.map { OutputClaim.Input("responses from", $0) })
    let recipe = try ResponseRecipe(
      target: folder, workers: Workers(count: 1), chat: ChatSettings())
    var counter = AnswerCounter(
      vocabularySize: recipe.target.configuration.vocabularySize)
    var summary = Summary(answers: 0, tokens: 0, runs: 0)
    for folder in answers {
      for answer in try recipe.responses(in: folder) {
        counter.add(answer.tokens, promptLength: answer.promptLength)
        summary.answers += 1
        summary.tokens += answer.continuation.count
      }
    }
    let table = counter.table()
    guard table.count > 0 else {
      throw SpeculateError("the answers repeat nothing: make more of them")
    }
    summary.runs = table.count
    try withExtendedLifetime(claim) { try table.write(to: place) }
    if json {
      try Output.json(summary)
    } else {
      try Output.line(
        "\(Figures.count(table.count)) runs of \(Figures.count(summary.answers)) answers, "
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
