import ArgumentParser

/// Where the prompts come from.
struct PromptOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The text to go on from; - reads standard input.", valueName: "text"))
  var prompt: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "A text file, which is one prompt, or a .jsonl file, which is many: with a field 'prompt' in "
        + "every line, or a chat, 'messages' or 'turns', which the target's chat template writes; "
        + "- reads standard input.", valueName: "file"))
  var promptFile: String?

  @Argument(help: ArgumentHelp("- reads the prompt from standard input.", valueName: "-"))
  var input: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Take the first n prompts only.", valueName: "n"))
  var limit: Int?

  func validate() throws {
    if let input, input != "-" {
      throw ValidationError("Unexpected argument '\(input)': give the prompt with --prompt")
    }
    let sources = [prompt, promptFile, input].compactMap { $0 }.count
    guard sources > 0 else {
      throw ValidationError("There is no prompt: give --prompt, --prompt-file or -")
    }
    guard sources == 1 else {
      throw ValidationError("There are several prompts: give one of --prompt, --prompt-file and -")
    }
    if let limit, limit < 1 {
      throw ValidationError("--limit \(limit) is out of range: use 1 or more")
    }
  }

  /// The prompts, at least one.
  func read() throws -> [PromptInput.Prompt] {
    let prompts =
      try promptFile.map { try PromptInput.file($0) } ?? PromptInput.text(prompt ?? "-")
    return limit.map { Array(prompts.prefix($0)) } ?? prompts
  }
}
