import ArgumentParser
import Files
import Foundation

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a checkpoint's configuration, tokenizer and tensors.",
    discussion: """
      Checks every header of the weights completely and reads no value. A folder is a target's or a \
      drafter's in Hugging Face layout; a file is .safetensors or .safetensors.zst. A folder that no \
      other command can use is shown as far as it goes, and the exit code is 1.
      """)

  @Argument(help: ArgumentHelp("A checkpoint's folder, or one file of weights.", valueName: "path"))
  var path: String
  @Flag(help: "Print one line of JSON.") var json = false

  func run() throws {
    let report = try InspectReport(path: path)
    if json {
      try Output.json(report)
    } else {
      try Output.write(report.lines.map { $0 + "\n" }.joined())
    }
    if let problem = report.problem { throw SpeculateError(problem) }
  }
}
