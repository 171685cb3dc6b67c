import ArgumentParser

/// Whether prompts are what a user says to an instruction model.
struct ChatFlags: ParsableArguments {
  @Flag(
    name: .customLong("chat"),
    help: "Take each prompt for what a user says, and write it as the target's chat template does.")
  var isOn = false
  @Option(
    "The system message of chats that have none of their own. Belongs to --chat.", value: "text",
    parsing: .unconditional)
  var system: String?

  func validate() throws {
    if system != nil && !isOn {
      throw ValidationError("--system belongs to --chat: give both")
    }
  }
}
