import ArgumentParser
import Files
import Tensors

struct ThreadOptions: ParsableArguments {
  @Option(
    "Threads to compute with. (default: one a physical core)", value: "n",
    name: .customLong("threads"))
  var requested: Int?

  var count: Int { requested ?? Workers.defaultCount }

  func validate() throws {
    // More is a slip of the finger.
    try OptionCheck.range("--threads", requested, 1...256)
    // A team that gets fewer threads would compute the same, only slower, and nobody would know why.
    guard Workers(count: count).count == count else {
      throw SpeculateError(
        "the system starts no \(count) threads: give fewer with --threads, or raise the limit on "
          + "processes (ulimit -u)")
    }
  }
}
