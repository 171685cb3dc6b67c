import Analysis
import Files
import Foundation
import Tensors
import Verifier

/// What running a target takes and how fast it can be at most, on this machine.
struct ModelPrognosis: Encodable, Sendable {
  let weightBytes: Int
  let bytesPerToken: Int
  let cacheBytesPerPosition: Int
  let memoryBytesAtContext: Int
  let threads: Int
  /// Of a simple read of as many bytes as a token reads, measured; nil where there is no memory for it.
  let bandwidthGbs: Double?
  /// What that allows.
  let tokensPerSecond: Double?

  /// Measures for about half a second.
  init(_ outline: ModelOutline, threads: Int) {
    weightBytes = outline.weightBytes
    bytesPerToken = outline.bytesPerToken
    cacheBytesPerPosition = outline.bytesPerPosition
    let context = outline.configuration.maximumContext
    let (cache, overflow) = context.multipliedReportingOverflow(by: cacheBytesPerPosition)
    memoryBytesAtContext = overflow ? Int.max : weightBytes.addingReportingOverflow(cache).0
    self.threads = threads
    let rate = Self.bandwidth(of: bytesPerToken, threads: threads)
    bandwidthGbs = rate.map { $0 / 1e9 }
    tokensPerSecond = rate.map { $0 / Double(max(1, outline.bytesPerToken)) }
  }

  /// Bytes a second of reading memory again and again: of a read of so many bytes, or of the first half
  /// gibibyte of them.
  private static func bandwidth(of bytes: Int, threads: Int) -> Double? {
    let count = max(1024, min(bytes, 1 << 29) / 4)
    guard (try? Memory.require(4 * count, for: "measuring")) != nil else { return nil }
    let values = FloatBuffer(count: count)
    values.base.update(repeating: 1, count: count)
    let workers = Workers(count: threads)
    let sums = FloatBuffer(count: 16 * workers.count)  // [worker][16]: a cache line each
    func read() {
      workers.run { worker in
        let share = (0..<count).share(of: worker, among: workers.count)
        sums.base[16 * worker] += Kernels.readSum(
          values.base + share.lowerBound, count: share.count)
      }
    }
    read()
    var rates: [Double] = []
    let start = Stopwatch.now
    while rates.count < 3 || Stopwatch.now - start < 0.4 {
      let begin = Stopwatch.now
      // Short reads together, so that the clock doesn't matter.
      let times = max(1, (1 << 22) / (4 * count))
      for _ in 0..<times { read() }
      rates.append(Double(4 * count * times) / max(1e-9, Stopwatch.now - begin))
    }
    return median(rates)
  }

  /// What a user reads of it.
  func settings(context: Int) -> [InspectReport.Setting] {
    var settings = [
      InspectReport.Setting(
        "memory",
        "\(Figures.bytes(weightBytes)) of weights and \(Figures.bytes(cacheBytesPerPosition)) a "
          + "position: \(Figures.bytes(memoryBytesAtContext)) at \(Figures.count(context))", [:])
    ]
    if let tokensPerSecond, let bandwidthGbs {
      settings.append(
        InspectReport.Setting(
          "speed",
          "up to \(Figures.rate(tokensPerSecond)) tokens/s without drafts: "
            + "\(Figures.bytes(bytesPerToken)) a token at \(Figures.fixed(bandwidthGbs, 1)) GB/s "
            + "(\(threads) thread\(threads == 1 ? "" : "s"))", [:]))
    }
    return settings
  }
}
