import Tensors

/// What a measurement ran on.
package struct Machine: Codable, Sendable, Equatable {
  /// The processor's name, as the system gives it.
  package var cpu: String
  /// The kernels in use.
  package var instructionSet: String
  /// Threads that computed.
  package var threads: Int

  /// This machine.
  package init(threads: Int) {
    cpu = Processor.name
    instructionSet =
      "\(InstructionSet.current)" + (InstructionSet.hasDotProducts ? "+vnni" : "")
    self.threads = threads
  }

  /// `AMD EPYC 7B13 | avx2 | 2 threads`
  package var line: String {
    "\(cpu) | \(instructionSet) | \(threads) thread\(threads == 1 ? "" : "s")"
  }

  /// The line of a measurement beside which OpenBLAS works: `… | 2 threads | OpenBLAS Haswell`
  package func line(blasCore: String) -> String { "\(line) | OpenBLAS \(blasCore)" }
}
