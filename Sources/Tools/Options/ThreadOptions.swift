import ArgumentParser
import Files
import Foundation
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
    guard Workers(count: count, refuses: true).count == count else {
      throw SpeculateError(
        "the system starts no \(count) threads: give fewer with --threads, or raise the limit on "
          + "processes (ulimit -u)")
    }
    let processors = ProcessInfo.processInfo.activeProcessorCount
    if let requested, requested > processors {
      Output.note(
        "note: \(requested) threads wait for one another on \(processors) processors: fewer are faster\n"
      )
    }
  }
}
