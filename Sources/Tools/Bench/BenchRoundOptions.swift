import ArgumentParser

/// How often a measurement is repeated.
struct BenchRoundOptions: ParsableArguments {
  @Option(
    name: .customLong("rounds"), parsing: .unconditional,
    help: ArgumentHelp("Measurements to take the median of.", valueName: "n"))
  var count = 9

  func validate() throws {
    guard !(1...10_000).contains(count) else { return }
    throw ValidationError("--rounds \(count) is out of range: use 1 to 10000")
  }
}
