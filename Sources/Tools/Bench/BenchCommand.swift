import ArgumentParser

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this machine and how well decoding and training use it.",
    subcommands: [
      BenchMemoryCommand.self, BenchRooflineCommand.self, BenchMatmulCommand.self,
      BenchForwardCommand.self,
      BenchDecodeCommand.self, BenchServeCommand.self, BenchTrainCommand.self,
      BenchExchangeCommand.self,
    ])
}
