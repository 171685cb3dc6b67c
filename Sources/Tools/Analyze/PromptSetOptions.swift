import ArgumentParser

/// Which prompts are analysed.
struct PromptSetOptions: ParsableArguments {
  @Option(
    name: .customLong("prompts"), parsing: .upToNextOption,
    help: ArgumentHelp("Prompt files; - reads standard input.", valueName: "file"))
  var files: [String]

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take n tasks in all, as many from every category, spread over each. (default: all)",
      valueName: "n"))
  var sample: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Turns of a chat, at most.", valueName: "n"))
  var turns = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take the first n tokens only of prompts that are no chats; for documents. (default: all)",
      valueName: "n"))
  var promptTokens: Int?

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("There is no prompt file: give --prompts") }
    for (name, value) in [("sample", sample), ("turns", turns), ("prompt-tokens", promptTokens)] {
      guard let value, value < 1 else { continue }
      throw ValidationError("--\(name) \(value) is out of range: use 1 or more")
    }
  }

  /// The tasks, at least one.
  func read() throws -> [PromptTask] {
    let tasks = try files.flatMap(PromptTask.read)
    return sample.map { PromptTask.sample(tasks, $0) } ?? tasks
  }
}
