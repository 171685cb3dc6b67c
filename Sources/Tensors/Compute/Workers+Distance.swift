internal import CKernels
import Files

extension Workers {
  /// Seconds that a cache line takes from the first worker's core to the second's; nil for one worker.
  ///
  /// Virtual processors may change places while a program runs, and with the distance change the
  /// bandwidth that they have together and what every region costs.
  ///
  /// - Returns: The least of what is measured in 20 ms, in which the system has found each thread a
  ///   processor of its own.
  package func distance() -> Double? {
    guard count > 1 else { return nil }
    let times = 500
    let word = FloatBuffer(count: 16)  // a cache line
    let watch = Stopwatch()
    var least = Double.infinity
    repeat {
      word.base[0] = 0
      let pass = Stopwatch()
      run { worker in
        guard worker < 2 else { return }
        word.base.withMemoryRebound(to: Int32.self, capacity: 1) {
          ck_pass_line($0, Int32(worker), Int32(times))
        }
      }
      least = min(least, pass.elapsed / Double(2 * times))
    } while watch.elapsed < 20e-3
    return least
  }
}
