import ArgumentParser
import Files

/// The `speculate` command. One file per subcommand; no mathematics here.
@main
struct SpeculateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speculate",
    abstract: "Generate text several times faster without changing one token of it.",
    version: "0.1.0",
    subcommands: [
      GenerateCommand.self, ServeCommand.self, PretrainCommand.self, DistillCommand.self,
      ForceCommand.self,
      AnalyzeCommand.self, BenchCommand.self, InspectCommand.self, ConvertCommand.self,
      FetchCommand.self,
    ])

  /// Parses, runs, and ends the process with the command's exit code.
  static func main() {
    Interruption.settleSignals()
    // The program's own name is there unless the system refused to say.
    guard !CommandLine.arguments.isEmpty else {
      Failure.exit(
        SpeculateError(
          "the command line can't be read from /proc/self/cmdline: allow more open files (ulimit -n), "
            + "or mount /proc"), in: Self.self)
    }
    let check = try? CommandLineCheck(Array(CommandLine.arguments.dropFirst()), root: Self.self)
    if let complaint = check?.complaint { Failure.misuse(complaint) }
    do {
      var command = try parseAsRoot()
      if let complaint = check?.idleOption { Failure.misuse(complaint) }
      if let complaint = Ranks.complaint(about: command) { Failure.misuse(complaint) }
      try command.run()
      Failure.leave(ExitCode.success)
    } catch {
      Failure.exit(error, in: Self.self)
    }
  }
}
