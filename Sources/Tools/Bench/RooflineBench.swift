import Analysis
import Files
import Tensors

/// What the machine can read and multiply, and how near products come to it in cache.
struct RooflineBench {
  /// More than any cache holds, and what a core's own cache holds.
  private static let memoryBytes = 256 << 20
  private static let cacheBytes = 256 << 10
  /// Seconds of one measurement.
  private static let moment = 0.01

  private let workers: Workers
  private let bytes: FloatBuffer

  init(workers: Workers) {
    self.workers = workers
    bytes = FloatBuffer(count: Self.memoryBytes / 4)
    bytes.base.update(repeating: 1, count: bytes.count)
  }

  /// Bytes a second that all threads read from memory.
  func memoryRate() -> Double { rate(floats: bytes.count / workers.count, times: 1) }

  /// Bytes a second that all threads read, each from its own cache.
  func cacheRate() -> Double {
    let floats = min(bytes.count / workers.count, Self.cacheBytes / 4)
    _ = rate(floats: floats, times: 1)
    let once = rate(floats: floats, times: 16)
    let passBytes = Double(4 * floats * workers.count)
    return rate(floats: floats, times: max(1, Int(Self.moment * once / passBytes)))
  }

  func peak(_ arithmetic: Arithmetic) -> Double {
    arithmetic.peak(seconds: Self.moment, workers: workers)
  }

  /// Multiplications a second of products of one matrix that stays in cache, with rows that are prepared
  /// for its format.
  func productRate(
    _ matrix: PackedMatrix, _ input: ActivationRows, rows: Int, output: FloatBuffer
  ) -> Double {
    func seconds(_ times: Int) -> Double {
      let count = workers.count
      let start = Stopwatch.now
      for _ in 0..<times {
        workers.run { worker in
          matrix.multiply(
            input, into: output.base, stride: matrix.rows, count: rows,
            panels: (0..<matrix.panelCount).share(of: worker, among: count))
        }
      }
      return Stopwatch.now - start
    }
    _ = seconds(1)
    let times = max(1, Int(Self.moment / seconds(1)))
    return Double(times * rows * matrix.rows * matrix.columns) / seconds(times)
  }

  private func rate(floats: Int, times: Int) -> Double {
    let sums = FloatBuffer(count: 16 * workers.count)  // [worker][16]: a cache line each
    let bytes = bytes
    let start = Stopwatch.now
    workers.run { worker in
      for _ in 0..<times {
        sums.base[16 * worker] += Kernels.readSum(bytes.base + worker * floats, count: floats)
      }
    }
    return Double(4 * floats * times * workers.count) / (Stopwatch.now - start)
  }
}
