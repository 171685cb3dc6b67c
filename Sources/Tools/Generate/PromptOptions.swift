import ArgumentParser

struct PromptOptions: ParsableArguments {
  @Option("The text to go on from; - reads standard input.", value: "text", parsing: .unconditional)
  var prompt: String?
  @Option(
    """
    A text file, which is one prompt, or a .jsonl file, which is many: with a field 'prompt' in \
    every line, or a chat, 'messages' or 'turns', which the target's chat template writes; \
    - reads standard input.
    """, value: "file", parsing: .unconditional)
  var promptFile: String?
  @Argument(help: ArgumentHelp("- reads the prompt from standard input.", valueName: "-"))
  var input: String?
  @OptionGroup var limit: PromptLimit

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
  }

  func read() throws -> [PromptInput.Prompt] {
    limit.first(
      of: try promptFile.map { try PromptInput.file($0, for: .generated) }
        ?? PromptInput.text(prompt ?? "-"))
  }
}

struct PromptLimit: ParsableArguments {
  @Option("Take the first n prompts only.", value: "n", name: .customLong("limit")) var count: Int?

  func validate() throws { try OptionCheck.atLeast(1, ("--limit", count)) }

  func first(of prompts: [PromptInput.Prompt]) -> [PromptInput.Prompt] {
    Array(prompts.prefix(count ?? prompts.count))
  }
}
