import Analysis
import ArgumentParser
import Tensors
import Verifier

/// `speculate bench forward`: what checking several tokens costs against producing one.
struct BenchForwardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward",
    abstract: "Time target passes of 1 to 64 rows: what checking a block costs against one token.",
    discussion: """
      Every pass computes the logits of all its rows. Each measurement stands between two of a single \
      row, so that a change of a shared machine meets both sides of the ratio.

      speculate bench forward
      speculate bench forward --shape qwen3-0.6b --rows 1,8,16 --prefill 512 --json
      """)

  @OptionGroup var model: BenchModelOptions
  @OptionGroup var cache: CacheOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions

  @Option(help: ArgumentHelp("Rows of the passes.", valueName: "n,n,…"))
  var rows = RowCounts.curve

  @OptionGroup var context: BenchContextOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Time a prompt of this many tokens as well.", valueName: "n"))
  var prefill: Int?

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    if let prefill, !(1...1_000_000).contains(prefill) {
      throw ValidationError("--prefill \(prefill) is out of range: use 1 to 1000000")
    }
  }

  func run() throws {
    let weights = try model.load()
    let widest = rows.values.last ?? 1
    let context = context.count(for: weights, leaving: widest)
    let bench = try ForwardBench(
      model: weights, workers: Workers(count: threads.count), cacheFormat: cache.format,
      context: context, widest: widest, prompt: prefill)
    let passes = bench.passes(in: 0.02)
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    var readings = rows.values.map { _ in [ForwardBench.Reading]() }
    var prompts: [Double] = []
    for _ in 0..<rounds.count {
      if !Interruption.requested, let seconds = bench.prefill() { prompts.append(seconds) }
      for (index, width) in rows.values.enumerated() where !Interruption.requested {
        readings[index].append(bench.measure(rows: width, passes: passes))
      }
    }
    let curve = zip(rows.values, readings).filter { !$1.isEmpty }.map { width, readings in
      let seconds = median(readings.map(\.seconds))
      return Point(
        rows: width, milliseconds: 1e3 * seconds,
        ratio: median(readings.map(\.ratio)), spread: Spread(readings.map(\.ratio)),
        gflops: Double(2 * weights.weightCount * width) / seconds / 1e9,
        bandwidthGbs: Double(weights.bytesPerToken) / seconds / 1e9)
    }
    let report = Report(
      machine: Machine(threads: threads.count, distance: distance?.again()), model: model.name,
      weights: weights.formats.description,
      kvType: cache.format.rawValue,
      weightBytes: weights.bytesPerToken, context: context, rounds: readings[0].count,
      passes: curve, prefill: prefill.flatMap { Prefill(tokens: $0, weights, seconds: prompts) })
    if json { try Output.json(report) } else { try print(report) }
    if Interruption.requested { throw Interruption.exitCode }
  }

  private func print(_ report: Report) throws {
    try Output.line(report.machine.line)
    try Output.line(
      "\(report.model), \(report.weights), keys and values \(report.kvType), weights \(Figures.bytes(report.weightBytes)), context "
        + "\(report.context)")
    try Output.table(
      ["rows", "ms", "t(M)/t(1)", "spread", "GB/s", "GFLOP/s"],
      report.passes.map {
        [
          "\($0.rows)", Figures.fixed($0.milliseconds, 2), Figures.fixed($0.ratio, 2),
          $0.spread.text(2), Figures.fixed($0.bandwidthGbs, 1), Figures.fixed($0.gflops, 0),
        ]
      })
    if let prefill = report.prefill {
      try Output.line(
        "prefill of \(prefill.tokens) tokens: \(Figures.fixed(prefill.milliseconds, 1)) ms, "
          + "\(Figures.fixed(prefill.gflops, 0)) GFLOP/s in products "
          + "(\(prefill.spread.text(0)))")
    }
    try Output.line(
      "median of \(report.rounds) measurement\(report.rounds == 1 ? "" : "s"), least and greatest")
  }

  private struct Point: Codable {
    var rows: Int
    var milliseconds: Double
    var ratio: Double
    var spread: Spread
    var gflops: Double
    var bandwidthGbs: Double
  }

  /// A prompt's passes. Attention isn't counted in `gflops`, and the head for the last row only.
  private struct Prefill: Codable {
    var tokens: Int
    var milliseconds: Double
    var gflops: Double
    var spread: Spread

    /// `nil` without measurements.
    init?(tokens: Int, _ model: CausalModel, seconds: [Double]) {
      guard !seconds.isEmpty else { return nil }
      let head = model.head.rows * model.head.columns
      let operations = 2 * Double((model.weightCount - head) * tokens + head)
      self.tokens = tokens
      milliseconds = 1e3 * median(seconds)
      gflops = operations / median(seconds) / 1e9
      spread = Spread(seconds.map { operations / $0 / 1e9 })
    }
  }

  private struct Report: Codable {
    var machine: Machine
    var model: String
    var weights: String
    var kvType: String
    var weightBytes: Int
    var context: Int
    var rounds: Int
    var passes: [Point]
    var prefill: Prefill?
  }
}
