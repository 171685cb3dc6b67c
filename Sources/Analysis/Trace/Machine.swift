import Tensors

/// What a measurement ran on.
package struct Machine: Codable, Sendable, Equatable {
  package var cpu: String
  package var instructionSet: String
  package var threads: Int
  /// How far apart two of them were; nil for one thread, and where it wasn't measured.
  package var coreDistanceNs: CoreDistance?

  package init(threads: Int, distance: CoreDistance? = nil) {
    cpu = Processor.name
    instructionSet = "\(InstructionSet.current)" + (InstructionSet.hasDotProducts ? "+vnni" : "")
    self.threads = threads
    coreDistanceNs = distance
  }

  /// `AMD EPYC 7B13 | avx2 | 2 threads, cores 52 ns apart`
  package var line: String {
    "\(cpu) | \(instructionSet) | \(threads) thread\(threads == 1 ? "" : "s")"
      + (coreDistanceNs.map { ", \($0.text)" } ?? "")
  }

  /// The line of a measurement beside which OpenBLAS works: `… | 2 threads … | OpenBLAS Haswell`
  package func line(blasCore: String) -> String { "\(line) | OpenBLAS \(blasCore)" }
}
