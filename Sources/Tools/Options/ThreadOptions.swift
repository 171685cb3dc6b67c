import ArgumentParser
import Tensors

/// How many threads work.
struct ThreadOptions: ParsableArguments {
  @Option(
    name: .customLong("threads"), parsing: .unconditional,
    help: ArgumentHelp("Threads to compute with. (default: one a physical core)", valueName: "n"))
  var requested: Int?

  /// The most threads that make sense on one machine; more is a slip of the finger.
  static let most = 256

  /// The number of threads.
  var count: Int { requested ?? Workers.defaultCount }

  func validate() throws {
    guard let requested, !(1...Self.most).contains(requested) else { return }
    throw ValidationError("--threads \(requested) is out of range: use 1 to \(Self.most)")
  }
}
