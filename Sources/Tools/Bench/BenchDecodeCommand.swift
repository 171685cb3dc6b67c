import ArgumentParser
import Speculate
import Tensors
import Verifier

/// `speculate bench decode`: plain decoding against a simple read of the same weights.
struct BenchDecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract:
      "Decode plainly and read the weights in turn: how much of the bandwidth decoding uses.",
    discussion: """
      A token moves every weight once. Each measurement of decoding stands between two of reading, \
      because the bandwidth of a shared machine changes while a program runs.
      """)

  @OptionGroup var model: BenchModelOptions
  @OptionGroup var cache: CacheOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens of one measurement.", valueName: "n"))
  var tokens = 64

  @OptionGroup var context: BenchContextOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    guard !(1...100_000).contains(tokens) else { return }
    throw ValidationError("--tokens \(tokens) is out of range: use 1 to 100000")
  }

  func run() throws {
    let weights = try model.load()
    let context = context.count(for: weights, leaving: tokens + 1)
    let workers = Workers(count: threads.count)
    let bench = try DecodeBench(
      model: weights, workers: workers, cacheFormat: cache.format, context: context, tokens: tokens)
    Interruption.watch()
    var readings: [DecodeBench.Reading] = []
    for _ in 0..<rounds.count {
      guard let reading = try bench.measure() else { break }
      readings.append(reading)
    }
    guard !readings.isEmpty else { throw Interruption.exitCode }
    let report = Report(
      machine: Machine(threads: threads.count), model: model.name,
      weights: weights.formats.description,
      kvType: cache.format.rawValue,
      weightBytes: weights.bytesPerToken, context: context,
      rounds: readings.count, tokensPerSecond: Figures.median(readings.map(\.tokensPerSecond)),
      tokensPerSecondSpread: Spread(readings.map(\.tokensPerSecond)),
      decodeGbs: Figures.median(readings.map(\.decoded)) / 1e9,
      bandwidthGbs: Figures.median(readings.map(\.read)) / 1e9,
      bandwidthFraction: Figures.median(readings.map { $0.decoded / $0.read }))
    if json { try Output.json(report) } else { try print(report) }
    if Interruption.requested { throw Interruption.exitCode }
  }

  private func print(_ report: Report) throws {
    try Output.line(report.machine.line)
    try Output.line(
      "\(report.model), \(report.weights), keys and values \(report.kvType), weights \(Figures.bytes(report.weightBytes)), context "
        + "\(report.context)")
    try Output.line(
      "plain decoding: \(Figures.fixed(report.tokensPerSecond, 1)) tok/s "
        + "(\(report.tokensPerSecondSpread.text(1))), "
        + "\(Figures.fixed(report.decodeGbs, 1)) GB/s of weights")
    try Output.line(
      "simple read in the same run: \(Figures.fixed(report.bandwidthGbs, 1)) GB/s")
    try Output.line(
      "decoding uses \(Figures.fixed(100 * report.bandwidthFraction, 1)) % of it "
        + "(median of \(report.rounds) measurement\(report.rounds == 1 ? "" : "s"))")
  }

  private struct Report: Codable {
    var machine: Machine
    var model: String
    var weights: String
    var kvType: String
    var weightBytes: Int
    var context: Int
    var rounds: Int
    var tokensPerSecond: Double
    var tokensPerSecondSpread: Spread
    var decodeGbs: Double
    var bandwidthGbs: Double
    var bandwidthFraction: Double
  }
}
