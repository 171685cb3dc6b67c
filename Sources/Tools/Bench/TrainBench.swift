import Files
import Foundation
import Tensors
import Training

/// Steps of pretraining on random tokens, and a large matrix product in turn.
final class TrainBench {
  /// One measurement of a step, and the mean of the products before and after it.
  struct Reading {
    /// Seconds of a step: both passes, the sum of gradients and the optimizer.
    var seconds: Double
    /// Operations per second of the large product.
    var peak: Double
  }

  /// Rows, columns and inner size of the large product; three such matrices of f32 are 48 MiB.
  private static let side = 2048
  /// Small enough that random tokens are learnt without trouble; it has no influence on the time.
  private static let rate: Float = 1e-4

  private let recipe: PretrainRecipe
  // A gradient for each lane of this rank.
  private lazy var alone = exchange.lanes.map { _ in FloatBuffer(count: parameterCount) }
  private let factors: (FloatBuffer, FloatBuffer)  // [side][side] each, read by all workers
  private let results: FloatBuffer  // [worker][side][side]

  var parameterCount: Int { recipe.parameterCount }
  var product: MatrixProduct { MatrixProduct(recipe.precision) }
  /// Threads that take a step: no more than sequences.
  var threads: Int { recipe.workers.count }
  var exchange: Exchange { recipe.state.exchange }

  /// Makes a model of random values and the recipe that `speculate pretrain` runs, on random tokens
  /// in a temporary file that is gone when this returns. What the tokens are has no influence on the
  /// time.
  ///
  /// - Parameters:
  ///   - ranks: The processes that steps are spread over; each has a temporary folder of its own.
  /// - Throws: `SpeculateError` when the sizes can't be or the file can't be written.
  init(
    _ architecture: CausalArchitecture, batch: BatchFlags, precision: ProductPrecision?,
    threads: Int, ranks: any Communicator = SingleRank(), lanes: Int? = nil,
    sums: SumPrecision? = nil
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "speculate-bench-\(UUID().uuidString)")
    let tokens = folder.appending(path: "tokens.u16")
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      // A window more than a step takes leaves room for the sampler's random offset.
      try Self.randomTokens(
        (batch.sequences + 1) * batch.length + 1, below: architecture.vocabularySize
      ).write(to: tokens)
    } catch {
      throw SpeculateError(
        "can't write random tokens to \(folder.path); set TMPDIR to a folder with room")
    }
    var options = PretrainOptions(
      trainingTokens: tokens, output: folder.appending(path: "model"), threads: threads)
    options.architecture = architecture
    options.length = batch.length
    options.sequences = batch.sequences
    options.microSequences = batch.microBatch
    options.precision = precision
    (options.ranks, options.lanes, options.sumPrecision) = (ranks, lanes, sums)
    recipe = try PretrainRecipe(options)
    let count = Self.side * Self.side
    factors = (MatmulBench.noise(count), MatmulBench.noise(count))
    results = FloatBuffer(count: recipe.workers.count * count)
  }

  /// A step and a product that aren't measured, so that no measured one meets cold memory.
  func warmUp() throws {
    _ = try recipe.step(rate: Self.rate)
    _ = peak()
  }

  func measure() throws -> Reading {
    let before = peak()
    let start = Stopwatch.now
    _ = try recipe.step(rate: Self.rate)
    let seconds = Stopwatch.now - start
    return Reading(seconds: seconds, peak: (before + peak()) / 2)
  }

  /// Seconds in which a gradient is summed over all ranks, by itself.
  func measureSum() throws -> Double {
    _ = try exchange.ranks.sum([0]) as Int  // all are here
    let start = Stopwatch.now
    _ = try exchange.sum(alone, workers: recipe.workers)
    return Stopwatch.now - start
  }

  /// What the parts of a step take.
  func measureStep() throws -> OptimizationTimes {
    _ = try recipe.step(rate: Self.rate)
    return recipe.optimization.times
  }

  /// Operations per second of one large product a worker, all at once, by what multiplies in a step.
  private func peak() -> Double {
    let (side, workers, factors, results) = (Self.side, recipe.workers, factors, results)
    let product = product
    let start = Stopwatch.now
    workers.run { worker in
      product.timesTransposed(
        rows: side, columns: side, inner: side, factors.0.base, side, factors.1.base, side,
        into: results.base + worker * side * side, side)
    }
    let operations = 2 * Double(side) * Double(side) * Double(side) * Double(workers.count)
    return operations / (Stopwatch.now - start)
  }

  private static func randomTokens(_ count: Int, below vocabulary: Int) -> Data {
    var random = KeyedRandom(seed: 1, key: "bench")
    let highest = UInt64(min(vocabulary, 1 << 16))
    let tokens = (0..<count).map { _ in UInt16(random.next() % highest).littleEndian }
    return tokens.withUnsafeBytes { Data($0) }
  }
}
