import ArgumentParser
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
  }
}
