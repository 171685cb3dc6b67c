import Files
import Tensors
import Verifier

/// Reads matrices, all of a model's for instance, and does nothing else with them: the least that producing one token
/// can cost on this machine.
struct WeightReader {
  private let matrices: [PackedMatrix]

  /// Bytes that one pass reads.
  let bytes: Int

  init(_ model: CausalModel) { self.init(model.matrices) }

  init(_ matrices: [PackedMatrix]) {
    self.matrices = matrices
    bytes = matrices.reduce(0) { $0 + $1.byteCount }
  }

  /// Reads every weight `passes` times, divided between the workers.
  ///
  /// - Returns: Bytes per second.
  func measure(passes: Int, workers: Workers) -> Double {
    let seconds = seconds(passes: passes, workers: workers)
    return seconds > 0 ? Double(bytes * passes) / seconds : 0
  }

  /// The same, as seconds.
  func seconds(passes: Int, workers: Workers) -> Double {
    let sums = FloatBuffer(count: 16 * workers.count)  // [worker][16]: a cache line each
    let count = workers.count
    let start = Stopwatch.now
    for _ in 0..<passes {
      workers.run { [matrices] worker in
        for matrix in matrices {
          sums.base[16 * worker] += matrix.read(worker: worker, of: count)
        }
      }
    }
    return Stopwatch.now - start
  }

  /// How many passes take about `seconds`; at least one. Runs a pass to find out.
  func passes(in seconds: Double, workers: Workers) -> Int {
    let rate = measure(passes: 1, workers: workers)
    return max(1, Int(seconds * rate / Double(max(1, bytes))))
  }
}
