import ArgumentParser

struct PromptSetOptions: ParsableArguments {
  @Option(
    name: .customLong("prompts"), parsing: .upToNextOption,
    help: ArgumentHelp("Prompt files; - reads standard input.", valueName: "file"))
  var files: [String]
  @Option(
    "Take n tasks in all, as many from every category, spread over each. (default: all)",
    value: "n")
  var sample: Int?
  @Option("Turns of a chat, at most.", value: "n") var turns = 1
  @Option(
    "Take the first n tokens only of prompts that are no chats; for documents. (default: all)",
    value: "n")
  var promptTokens: Int?

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("There is no prompt file: give --prompts") }
    try OptionCheck.atLeast(
      1, ("--sample", sample), ("--turns", turns), ("--prompt-tokens", promptTokens))
  }

  func read() throws -> [PromptTask] {
    let tasks = try files.flatMap(PromptTask.read)
    return sample.map { PromptTask.sample(tasks, $0) } ?? tasks
  }
}
