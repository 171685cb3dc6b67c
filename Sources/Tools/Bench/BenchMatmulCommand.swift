import Analysis
import ArgumentParser
import Tensors

struct BenchMatmulCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "matmul",
    abstract: "Time products of one weight matrix with 1 to 64 rows, in every weight format.",
    discussion: """
      The weights come from memory: as many copies of the matrix as caches can't hold take turns. A \
      simple read of the same bytes is measured beside them.

      speculate bench matmul
      speculate bench matmul --matrix 3072x1024 --formats bf16 --rows 1,16,64 --json
      """)

  @Option("Outputs and inputs of the matrix.", value: "rowsxcolumns")
  var matrix = MatrixSize(rows: 4096, columns: 4096)
  @Option("Weight formats to measure. (default: f32, bf16, int8, int4)", value: "format")
  var formats: [WeightFormat] = []
  @Option("Rows of activations.", value: "n,n,…") var rows = RowCounts.curve
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let workers = Workers(count: threads.count)
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    let formats = formats.isEmpty ? WeightFormat.allCases : formats
    let progress = ProgressLine("measuring", unit: "rounds", total: formats.count * rounds.count)
    var products: [Product] = []
    for (index, format) in formats.enumerated() where !Interruption.requested {
      progress.update(index * rounds.count, detail: format.rawValue)
      let bench = MatmulBench(
        matrix, format: format, widest: rows.values.last ?? 1, workers: workers)
      products += measure(bench) {
        progress.update(index * rounds.count + $0, detail: format.rawValue)
      }
    }
    progress.clear()
    let setting = Setting(
      machine: Machine(threads: threads.count, distance: distance?.again()),
      matrix: [matrix.rows, matrix.columns], rounds: rounds.count, products: products)
    let table = TextTable.lines(
      ["format", "rows", "µs", "t(M)/t(1)", "GB/s", "of a read", "GFLOP/s"],
      products.map {
        [
          $0.format, "\($0.rows)", Figures.fixed($0.microseconds, 0),
          $0.ratio.map { Figures.fixed($0, 2) } ?? "", Figures.fixed($0.bandwidthGbs, 1),
          Figures.fixed(100 * $0.bandwidthFraction, 0) + " %", Figures.fixed($0.gflops, 0),
        ]
      }, names: 0)
    let lines =
      [
        setting.machine.line,
        "\(matrix.rows) outputs of \(matrix.columns) inputs, weights from memory",
      ] + table + [BenchSubject.median(rounds.count)]
    try CommandReport(lines: lines, parts: [setting]).show(json: json)
  }

  /// All widths of one format take turns, so that a change of the machine meets all.
  private func measure(_ bench: MatmulBench, onRound: (_ done: Int) -> Void) -> [Product] {
    var times = rows.values.map { _ in [Double]() }
    var reads: [Double] = []
    _ = bench.seconds(rows: 1)
    for _ in 0..<rounds.count where !Interruption.requested {
      reads.append(bench.readSeconds())
      for (index, width) in rows.values.enumerated() {
        times[index].append(bench.seconds(rows: width))
      }
      onRound(reads.count)
    }
    guard !reads.isEmpty else { return [] }
    let single = rows.values[0] == 1 ? median(times[0]) : nil
    let read = median(reads)
    return zip(rows.values, times).map { width, times in
      let seconds = median(times)
      return Product(
        format: "\(bench.format)", rows: width, microseconds: 1e6 * seconds,
        ratio: single.map { seconds / $0 }, bandwidthGbs: Double(bench.bytes) / seconds / 1e9,
        bandwidthFraction: read / seconds,
        gflops: Double(2 * bench.weightCount * width) / seconds / 1e9)
    }
  }

  private struct Product: Encodable {
    var format: String
    var rows: Int
    var microseconds: Double
    var ratio: Double?
    var bandwidthGbs: Double
    var bandwidthFraction: Double
    var gflops: Double
  }

  private struct Setting: Encodable {
    var machine: Machine
    var matrix: [Int]
    var rounds: Int
    var products: [Product]
  }
}
