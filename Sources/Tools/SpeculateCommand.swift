import ArgumentParser

@main
struct SpeculateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speculate",
    abstract: "Generate text several times faster without changing one token of it.")
}
