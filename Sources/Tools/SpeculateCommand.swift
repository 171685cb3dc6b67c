import ArgumentParser

/// The `speculate` command. One file per subcommand; no mathematics here.
@main
struct SpeculateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speculate",
    abstract: "Generate text several times faster without changing one token of it.",
    subcommands: [
      GenerateCommand.self, PretrainCommand.self, DistillCommand.self, ForceCommand.self,
      AnalyzeCommand.self, BenchCommand.self, InspectCommand.self, ConvertCommand.self,
    ])

  /// Parses, runs, and ends the process with the command's exit code.
  static func main() {
    Interruption.endOnClosedPipe()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure.exit(error, in: Self.self)
    }
  }
}
