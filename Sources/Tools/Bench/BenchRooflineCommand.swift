import Analysis
import ArgumentParser
import Tensors

struct BenchRooflineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roofline",
    abstract: "Measure what this machine can read and multiply: how many drafts are free.",
    discussion: """
      A pass reads every weight once and multiplies it by each row. Rows are free until multiplying \
      takes longer than reading. The peak is what multiplications reach in registers; products of 16 \
      rows in cache show how much of it a format's own work leaves.

      speculate bench roofline
      speculate bench roofline --threads 1 --json
      """)

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  private static let rows = 16
  private static let size = MatrixSize(rows: 256, columns: 1024)

  func run() throws {
    let workers = Workers(count: threads.count)
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    let formats = WeightFormat.allCases + WeightFormat.blocks
    let progress = ProgressLine("measuring", unit: "rounds", total: rounds.count)
    let bench = RooflineBench(workers: workers)
    let weights = MatmulBench.noise(Self.size.rows * Self.size.columns)
    let matrices = formats.map {
      PackedMatrix(weights, rows: Self.size.rows, columns: Self.size.columns, format: $0)
    }
    let input = ActivationRows(
      maximumRows: Self.rows, width: Self.size.columns, formats: Set(formats))
    let values = MatmulBench.noise(input.values.count)
    input.values.base.update(from: values.base, count: values.count)
    for row in 0..<Self.rows { input.finish(row: row, columns: 0..<input.width) }
    let output = FloatBuffer(count: Self.rows * Self.size.rows)
    var reads = (memory: [Double](), cache: [Double]())
    var peaks = Arithmetic.allCases.map { _ in [Double]() }
    var rates = formats.map { _ in [Double]() }
    // All measurements take turns, so that a change of a shared machine meets all.
    for round in 0..<rounds.count where round == 0 || !Interruption.requested {
      progress.update(round)
      reads.memory.append(bench.memoryRate())
      reads.cache.append(bench.cacheRate())
      for (index, arithmetic) in Arithmetic.allCases.enumerated() {
        peaks[index].append(bench.peak(arithmetic))
      }
      for (index, matrix) in matrices.enumerated() {
        rates[index].append(bench.productRate(matrix, input, rows: Self.rows, output: output))
      }
    }
    progress.clear()
    let peakOf = Dictionary(uniqueKeysWithValues: zip(Arithmetic.allCases, peaks.map(median)))
    let (memory, cache) = (median(reads.memory), median(reads.cache))
    let products = zip(matrices, rates).map { matrix, rates in
      let arithmetic = matrix.format.arithmetic
      return Product(
        format: "\(matrix.format)", arithmetic: arithmetic,
        bytesPerWeight: Double(matrix.byteCount) / Double(matrix.rows * matrix.columns),
        peak: peakOf[arithmetic] ?? 0, rate: median(rates), memory: memory, cache: cache)
    }
    let setting = Setting(
      machine: Machine(threads: threads.count, distance: distance?.again()),
      memoryGbs: memory / 1e9, cacheGbs: cache / 1e9,
      peakGops: Dictionary(
        uniqueKeysWithValues: peakOf.map { ($0.key.rawValue, 2 * $0.value / 1e9) }),
      rounds: reads.memory.count, products: products)
    try CommandReport(lines: lines(setting), parts: [setting]).show(json: json)
  }

  private func lines(_ setting: Setting) -> [String] {
    let peaks = Arithmetic.allCases.map {
      "\($0) \(Figures.fixed(setting.peakGops[$0.rawValue] ?? 0, 0))"
    }
    let table = TextTable.lines(
      ["format", "bits", "in cache", "of the peak", "rows free", "in cache", "least t(16)/t(1)"],
      setting.products.map {
        [
          $0.format, Figures.fixed($0.bitsPerWeight, 1), Figures.fixed($0.cacheGops, 0),
          Figures.fixed(100 * $0.cacheGops / $0.peakGops, 0) + " %",
          Figures.fixed($0.freeRows, 1), Figures.fixed($0.freeRowsInCache, 1),
          Figures.fixed($0.leastRatio, 2),
        ]
      }, names: 0)
    return [
      setting.machine.line,
      "reads: \(Figures.fixed(setting.memoryGbs, 1)) GB/s from memory, "
        + "\(Figures.fixed(setting.cacheGbs, 0)) GB/s from the cores' own caches",
      "peaks in Gop/s: \(peaks.joined(separator: ", ")); products of \(Self.rows) rows in cache:",
    ] + table + [BenchSubject.median(setting.rounds)]
  }

  private struct Product: Encodable {
    var format: String
    var arithmetic: Arithmetic
    var bitsPerWeight: Double
    var peakGops: Double
    var cacheGops: Double
    var freeRows: Double
    var freeRowsInCache: Double
    var leastRatio: Double

    /// - Parameters:
    ///   - peak, rate: Multiplications a second.
    ///   - memory, cache: Bytes a second.
    init(
      format: String, arithmetic: Arithmetic, bytesPerWeight: Double, peak: Double, rate: Double,
      memory: Double, cache: Double
    ) {
      self.format = format
      self.arithmetic = arithmetic
      bitsPerWeight = 8 * bytesPerWeight
      peakGops = 2 * peak / 1e9
      cacheGops = 2 * rate / 1e9
      freeRows = peak * bytesPerWeight / memory
      freeRowsInCache = peak * bytesPerWeight / cache
      leastRatio = max(1, Double(BenchRooflineCommand.rows) / freeRows)
    }
  }

  private struct Setting: Encodable {
    var machine: Machine
    var memoryGbs: Double
    var cacheGbs: Double
    var peakGops: [String: Double]
    var rounds: Int
    var products: [Product]
  }
}
