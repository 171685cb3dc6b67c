import Analysis
import ArgumentParser
import Training

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
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    Interruption.watch()
    let architecture = model.architecture
    let progress = ProgressLine("measuring", unit: "steps", total: rounds.count)
    progress.update(0)
    let bench = try TrainBench(
      architecture, batch: batch, precision: precision.wanted, threads: threads.count)
    try bench.warmUp()
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
    try CommandReport(lines: report.lines, parts: [report]).show(json: json)
  }

  private struct Report: Encodable {
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

    var lines: [String] {
      [
        "\(machine.line) | products: \(kernels)",
        "\(Figures.count(parameters)) parameters, \(precision), \(batch) × \(length) tokens a step",
        "training: \(Figures.fixed(tokensPerSecond, 1)) tok/s (\(tokensPerSecondSpread.text(1))), "
          + "\(Figures.fixed(secondsPerStep, 2)) s a step",
        "matrix products: \(Figures.fixed(gflops, 1)) GFLOP/s, with weights "
          + "\(Figures.fixed(weightGflops, 1)), in attention "
          + Figures.fixed(gflops - weightGflops, 1),
        "large product in the same run: \(Figures.fixed(peakGflops, 1)) GFLOP/s",
        "training uses \(Figures.fixed(100 * peakFraction, 1)) % of it "
          + "(\(BenchSubject.median(rounds)))",
      ]
    }
  }
}

/// The sizes of a model whose training is measured: those of `speculate pretrain` that matter for
/// the time, with the embedded target's values.
struct TrainSizes: ParsableArguments {
  @OptionGroup var widths: ModelWidths
  @Option("Decoder layers.") var layers = 20

  var architecture: CausalArchitecture { widths.architecture(layers: layers) }

  func validate() throws {
    if let complaint = architecture.complaint { throw ValidationError(complaint) }
  }
}
