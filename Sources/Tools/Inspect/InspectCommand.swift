import ArgumentParser
import Files
import Foundation

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Say what a checkpoint is, whether it runs, and what that takes.",
    discussion: """
      Checks every header of the weights completely and reads no value. A folder is a target's or a \
      drafter's in Hugging Face layout; a file is .gguf, .safetensors or .safetensors.zst. Of a target \
      it says the memory that it takes, how fast memory lets it be at most, and which drafters on this \
      disk were made for it. What no other command can use is shown as far as it goes, and the exit \
      code is 1.

      speculate inspect smollm2-135m-instruct
      speculate inspect Weights/drafter --tensors
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint's folder, one file of weights, or a fetched model's name.", valueName: "path"))
  var path: String
  @Flag(help: "List the tensors.") var tensors = false
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one line of JSON, with the tensors.") var json = false

  func run() throws {
    var report = try InspectReport(path: path)
    report.complete(threads: threads.count)
    if json {
      try Output.json(report)
    } else {
      try Output.write(report.lines(tensors: tensors).map { $0 + "\n" }.joined())
    }
    if let problem = report.problem { throw SpeculateError(problem) }
  }
}
