import ArgumentParser

/// `speculate bench`: what this machine can do, and how much of it is used.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this machine and how well decoding and training use it.",
    subcommands: [
      BenchMemoryCommand.self, BenchMatmulCommand.self, BenchForwardCommand.self,
      BenchDecodeCommand.self, BenchTrainCommand.self,
    ])
}
