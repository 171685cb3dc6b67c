import Analysis
import ArgumentParser
import Tensors
import Verifier

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
  @Option("Rows of the passes.", value: "n,n,…") var rows = RowCounts.curve
  @OptionGroup var context: BenchContextOptions
  @Option("Time a prompt of this many tokens as well.", value: "n") var prefill: Int?
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws { try OptionCheck.range("--prefill", prefill, 1...1_000_000) }

  func run() throws {
    let weights = try model.load()
    let widest = rows.values.last ?? 1
    let context = context.count(for: weights, leaving: widest)
    let workers = Workers(count: threads.count)
    let roofline = Roofline(weights, workers: workers)
    let bench = try ForwardBench(
      model: weights, workers: workers, cacheFormat: cache.format,
      context: context, widest: widest, prompt: prefill)
    let passes = bench.passes(in: 0.02)
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    var readings = rows.values.map { _ in [ForwardBench.Reading]() }
    var prompts: [Double] = []
    let progress = ProgressLine("measuring", unit: "rounds", total: rounds.count)
    for round in 0..<rounds.count {
      progress.update(round)
      if !Interruption.requested, let seconds = bench.prefill() { prompts.append(seconds) }
      for (index, width) in rows.values.enumerated() where !Interruption.requested {
        let reading = bench.measure(rows: width, passes: passes) { Interruption.requested }
        if let reading { readings[index].append(reading) }
      }
    }
    progress.clear()
    let curve = zip(rows.values, readings).filter { !$1.isEmpty }.map { width, readings in
      let seconds = median(readings.map(\.seconds))
      return Point(
        rows: width, milliseconds: 1e3 * seconds,
        ratio: median(readings.map(\.ratio)), spread: Spread(readings.map(\.ratio)),
        leastRatio: roofline.ratio(rows: width),
        gflops: Double(2 * weights.weightCount * width) / seconds / 1e9,
        bandwidthGbs: Double(weights.bytesPerToken) / seconds / 1e9)
    }
    let prefill = prefill.flatMap { Prefill(tokens: $0, weights, seconds: prompts) }
    var subject = BenchSubject(
      Machine(threads: threads.count, distance: distance?.again()), model.name, weights,
      rounds: readings[0].count)
    subject.kvType = cache.format.rawValue
    subject.context = context
    let table = TextTable.lines(
      ["rows", "ms", "t(M)/t(1)", "spread", "roofline", "GB/s", "GFLOP/s"],
      curve.map {
        [
          "\($0.rows)", Figures.fixed($0.milliseconds, 2), Figures.fixed($0.ratio, 2),
          $0.spread.text(2), Figures.fixed($0.leastRatio, 2), Figures.fixed($0.bandwidthGbs, 1),
          Figures.fixed($0.gflops, 0),
        ]
      }, names: 0)
    let prompt = prefill.map {
      "prefill of \($0.tokens) tokens: \(Figures.fixed($0.milliseconds, 1)) ms, "
        + "\(Figures.fixed($0.gflops, 0)) GFLOP/s in products (\($0.spread.text(0)))"
    }
    let last = BenchSubject.median(subject.rounds) + ", least and greatest"
    try CommandReport(
      lines: subject.lines + table + [prompt, last].compactMap(\.self),
      parts: [subject, Times(passes: curve, prefill: prefill)]
    ).show(json: json)
  }

  private struct Point: Encodable {
    var rows: Int
    var milliseconds: Double
    var ratio: Double
    var spread: Spread
    /// The least that the ratio can be, by what the machine reads and multiplies.
    var leastRatio: Double
    var gflops: Double
    var bandwidthGbs: Double
  }

  /// A prompt's passes. Attention isn't counted in `gflops`, and the head for the last row only.
  private struct Prefill: Encodable {
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

  private struct Times: Encodable {
    var passes: [Point]
    var prefill: Prefill?
  }
}
