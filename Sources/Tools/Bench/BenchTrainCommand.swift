import Analysis
import ArgumentParser
import Training

/// `speculate bench train`: steps of pretraining against the fastest matrix product.
struct BenchTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train on random tokens: how fast steps of pretraining are, against a large product.",
    discussion: """
      The model is the embedded target's unless sizes are given. Operations are those of the matrix \
      products: 6 for every weight and token, and 12 for every value of a head, query and key that \
      it sees. Each step stands between two large products of the same precision by the same kernels \
      on as many threads. Without AVX-512 products of f32 are OpenBLAS's, whose kernels OPENBLAS_CORETYPE \
      in the environment chooses.

      speculate bench train
      speculate bench train --hidden 512 --intermediate 1536 --layers 10 --heads 8 --kv-heads 4 \
      --length 512 --rounds 5 --json
      """)

  @OptionGroup(title: "Model") var model: TrainSizes
  @OptionGroup(title: "Step") var batch: BatchFlags
  @OptionGroup var precision: PrecisionOption
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    try batch.check()
  }

  func run() throws {
    Interruption.watch()
    let architecture = model.architecture
    let bench = try TrainBench(
      architecture, batch: batch, precision: precision.wanted, threads: threads.count)
    try bench.warmUp()
    let progress = ProgressLine("measuring", unit: "steps", total: rounds.count)
    var readings: [TrainBench.Reading] = []
    while readings.count < rounds.count && !Interruption.requested {
      readings.append(try bench.measure())
      progress.update(readings.count)
    }
    progress.clear()
    guard !readings.isEmpty else { throw Interruption.exitCode }
    let tokens = batch.sequences * batch.length
    let weights = architecture.weightOperations(tokens: tokens)
    let operations =
      weights + architecture.attentionOperations(sequences: batch.sequences, length: batch.length)
    let seconds = median(readings.map(\.seconds))
    let report = Report(
      machine: Machine(threads: bench.threads), blasCore: MatrixProduct.coreName,
      precision: bench.product.precision.rawValue, kernels: bench.product.kernels,
      parameters: bench.parameterCount, batch: batch.sequences, length: batch.length,
      rounds: readings.count, secondsPerStep: seconds, tokensPerSecond: Double(tokens) / seconds,
      tokensPerSecondSpread: Spread(readings.map { Double(tokens) / $0.seconds }),
      gflops: operations / seconds / 1e9, weightGflops: weights / seconds / 1e9,
      peakGflops: median(readings.map(\.peak)) / 1e9,
      peakFraction: median(readings.map { operations / $0.seconds / $0.peak }))
    if json { try Output.json(report) } else { try print(report) }
    if Interruption.requested { throw Interruption.exitCode }
  }

  private func print(_ report: Report) throws {
    try Output.line("\(report.machine.line) | products: \(report.kernels)")
    try Output.line(
      "\(Figures.count(report.parameters)) parameters, \(report.precision), \(report.batch) × "
        + "\(report.length) tokens a step")
    try Output.line(
      "training: \(Figures.fixed(report.tokensPerSecond, 1)) tok/s "
        + "(\(report.tokensPerSecondSpread.text(1))), "
        + "\(Figures.fixed(report.secondsPerStep, 2)) s a step")
    try Output.line(
      "matrix products: \(Figures.fixed(report.gflops, 1)) GFLOP/s, with weights "
        + "\(Figures.fixed(report.weightGflops, 1)), in attention "
        + "\(Figures.fixed(report.gflops - report.weightGflops, 1))")
    try Output.line(
      "large product in the same run: \(Figures.fixed(report.peakGflops, 1)) GFLOP/s")
    try Output.line(
      "training uses \(Figures.fixed(100 * report.peakFraction, 1)) % of it "
        + "(median of \(report.rounds) measurement\(report.rounds == 1 ? "" : "s"))")
  }

  private struct Report: Codable {
    var machine: Machine
    var blasCore: String
    var precision: String
    var kernels: String
    var parameters: Int
    var batch: Int
    var length: Int
    var rounds: Int
    var secondsPerStep: Double
    var tokensPerSecond: Double
    var tokensPerSecondSpread: Spread
    var gflops: Double
    var weightGflops: Double
    var peakGflops: Double
    var peakFraction: Double
  }
}
