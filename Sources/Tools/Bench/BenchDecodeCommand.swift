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

  @OptionGroup var target: TargetOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens of one measurement.", valueName: "n"))
  var tokens = 64

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    guard !(1...100_000).contains(tokens) else { return }
    throw ValidationError("--tokens \(tokens) is out of range: use 1 to 100000")
  }

  func run() throws {
    let model = try CausalModel(directory: target.folder())
    let workers = Workers(count: threads.count)
    let bench = try DecodeBench(model: model, workers: workers, tokens: tokens)
    Interruption.watch()
    var readings: [DecodeBench.Reading] = []
    for _ in 0..<rounds.count {
      guard let reading = try bench.measure() else { break }
      readings.append(reading)
    }
    guard !readings.isEmpty else { throw Interruption.exitCode }
    let report = Report(
      machine: Machine(threads: threads.count), weightBytes: model.bytesPerToken,
      rounds: readings.count, tokensPerSecond: Figures.median(readings.map(\.tokensPerSecond)),
      decodeGigabytesPerSecond: Figures.median(readings.map(\.decoded)) / 1e9,
      readGigabytesPerSecond: Figures.median(readings.map(\.read)) / 1e9,
      share: Figures.median(readings.map { $0.decoded / $0.read }))
    if json { try Output.json(report) } else { try print(report, format: model.format) }
    if Interruption.requested { throw Interruption.exitCode }
  }

  private func print(_ report: Report, format: WeightFormat) throws {
    try Output.line(report.machine.line)
    try Output.line("weights \(Figures.bytes(report.weightBytes)), \(format)")
    try Output.line(
      "plain decoding: \(Figures.fixed(report.tokensPerSecond, 1)) tok/s, "
        + "\(Figures.fixed(report.decodeGigabytesPerSecond, 1)) GB/s of weights")
    try Output.line(
      "simple read in the same run: \(Figures.fixed(report.readGigabytesPerSecond, 1)) GB/s")
    try Output.line(
      "decoding uses \(Figures.fixed(100 * report.share, 1)) % of it "
        + "(median of \(report.rounds) measurement\(report.rounds == 1 ? "" : "s"))")
  }

  private struct Report: Codable {
    var machine: Machine
    var weightBytes: Int
    var rounds: Int
    var tokensPerSecond: Double
    var decodeGigabytesPerSecond: Double
    var readGigabytesPerSecond: Double
    var share: Double
  }
}
