import Analysis
import ArgumentParser

/// How often a measurement is repeated.
struct BenchRoundOptions: ParsableArguments {
  @Option(
    name: .customLong("rounds"), parsing: .unconditional,
    help: ArgumentHelp("Measurements to take the median of.", valueName: "n"))
  var count = Self.usual

  /// Measurements where no option says how many.
  static let usual = 9

  func validate() throws { try Self.check(count) }

  /// Refuses numbers that are slips of the finger.
  static func check(_ count: Int) throws {
    guard !(1...10_000).contains(count) else { return }
    throw ValidationError("--rounds \(count) is out of range: use 1 to 10000")
  }
}
