import ArgumentParser
import Verifier

/// How many positions a cache holds before a measurement.
struct BenchContextOptions: ParsableArguments {
  /// What is measured where nothing else is said, as far as the model has room.
  private static let usual = 256

  @Option(
    name: .customLong("context"), parsing: .unconditional,
    help: ArgumentHelp(
      "Positions in the cache before a measurement. (default: 256, or fewer in a small context)",
      valueName: "n"))
  var requested: Int?

  func validate() throws {
    guard let requested, !(1...1_000_000).contains(requested) else { return }
    throw ValidationError("--context \(requested) is out of range: use 1 to 1000000")
  }

  /// The number of positions, leaving room for `rows` more unless it was asked for.
  func count(for model: CausalModel, leaving rows: Int) -> Int {
    requested ?? max(1, min(Self.usual, model.configuration.maximumContext - rows))
  }
}
