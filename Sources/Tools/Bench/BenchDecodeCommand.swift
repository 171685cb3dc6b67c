import Analysis
import ArgumentParser
import Speculate
import Tensors
import Training
import Verifier

/// `speculate bench decode`: plain decoding against a simple read of the same weights, or against
/// speculative decoding.
struct BenchDecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract:
      "Decode plainly and read the weights in turn, or decode prompts plainly and speculatively.",
    discussion: """
      A token moves every weight once, so plain decoding is measured against a read of the weights. \
      Each measurement of decoding stands between two of reading, because the bandwidth of a shared \
      machine changes while a program runs.

      With --prompt-file each measurement decodes all prompts plainly and speculatively in turn: how \
      much faster drafts make it, over all outputs and over those that don't end in a repeating \
      loop. Outputs that aren't identical are an error.

      speculate bench decode
      speculate bench decode --prompt-file prompts.jsonl --limit 20 --max-tokens 128 --json
      """)

  @OptionGroup var model: BenchModelOptions
  @OptionGroup var cache: CacheOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup(title: "Prompts") var prompts: BenchPromptOptions
  @Option("Measurements to take the median of. (default: 9, or 3 with --prompt-file)", value: "n")
  var rounds: Int?
  @Option("Tokens of one measurement without --prompt-file. (default: 64)", value: "n")
  var tokens: Int?
  @OptionGroup var context: BenchContextOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    try BenchRoundOptions.check(rounds)
    try OptionCheck.range("--tokens", tokens, 1...100_000)
    guard prompts.file != nil else { return }
    if tokens != nil || context.requested != nil {
      throw ValidationError(
        "--tokens and --context mean nothing with --prompt-file: use --max-tokens")
    }
    if model.shape != nil {
      throw ValidationError("--shape has no tokenizer for --prompt-file: give --target instead")
    }
  }

  func run() throws {
    if let file = prompts.file { try decodePrompts(file) } else { try decodeAndRead() }
  }

  private func decodePrompts(_ file: String) throws {
    let texts = try prompts.read(file)
    let way = try prompts.drafting.way(prompts.drafter, for: model.target)
    let generator = try TextGenerator(
      target: model.target.folder(), drafter: way.drafter, weights: model.weights.choice,
      drafterWeights: prompts.drafter.weights, drafterPasses: prompts.drafter.passes,
      cacheFormat: cache.format, threads: threads.count, chat: try prompts.template.settings(),
      costCache: .user(measuresAgain: prompts.drafting.remeasure))
    Output.notices(generator, prompts.sampling.parameters)
    let encoder = PromptEncoder(generator)
    let parameters = prompts.rule.apply(
      to: encoder.parameters(prompts.sampling.parameters, for: texts))
    let samples = prompts.rule.samples(parameters)
    let bench = PromptBench(
      decoder: AlternatingDecoder(generator: generator, parameters: parameters, mode: way.mode),
      prompts: try encoder.encode(texts))
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    let comparisons = try bench.measure(rounds: rounds ?? 3)
    guard !comparisons.isEmpty else { throw Interruption.exitCode }
    let report = DecodeReport(
      comparisons,
      setting: DecodeReport.Setting(
        machine: Machine(threads: threads.count, distance: distance?.again()),
        blasCore: MatrixProduct.coreName,
        model: model.name, weights: generator.model.formats.description,
        kvType: cache.format.rawValue, drafter: prompts.description(generator),
        maxTokens: parameters.maximumTokens, temperature: parameters.sampling.temperature,
        verification: samples ? parameters.verification.rawValue : nil))
    if json {
      try Output.json(report)
    } else {
      try Output.line(report.lines.joined(separator: "\n"))
    }
    if !samples, let difference = bench.difference(comparisons) {
      Failure.say(difference)
      throw ExitCode.failure
    }
    if Interruption.requested { throw Interruption.exitCode }
  }

  private func decodeAndRead() throws {
    let weights = try model.load()
    let tokens = tokens ?? 64
    let context = context.count(for: weights, leaving: tokens + 1)
    let workers = Workers(count: threads.count)
    let bench = try DecodeBench(
      model: weights, workers: workers, cacheFormat: cache.format, context: context, tokens: tokens)
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    var readings: [DecodeBench.Reading] = []
    let rounds = rounds ?? BenchRoundOptions.usual
    let progress = ProgressLine("measuring", unit: "rounds", total: rounds)
    for round in 0..<rounds {
      progress.update(round)
      guard let reading = try bench.measure() else { break }
      readings.append(reading)
    }
    progress.clear()
    guard !readings.isEmpty else { throw Interruption.exitCode }
    var subject = BenchSubject(
      Machine(threads: threads.count, distance: distance?.again()), model.name, weights,
      rounds: readings.count)
    subject.kvType = cache.format.rawValue
    subject.context = context
    let speed = Speed(readings)
    let lines = [
      "plain decoding: \(Figures.fixed(speed.tokensPerSecond, 1)) tok/s "
        + "(\(speed.tokensPerSecondSpread.text(1))), "
        + "\(Figures.fixed(speed.decodeGbs, 1)) GB/s of weights",
      "simple read in the same run: \(Figures.fixed(speed.bandwidthGbs, 1)) GB/s",
      "decoding uses \(Figures.fixed(100 * speed.bandwidthFraction, 1)) % of it "
        + "(\(BenchSubject.median(subject.rounds)))",
    ]
    try CommandReport(lines: subject.lines + lines, parts: [subject, speed]).show(json: json)
  }

  private struct Speed: Encodable {
    let tokensPerSecond: Double
    let tokensPerSecondSpread: Spread
    let decodeGbs: Double
    let bandwidthGbs: Double
    let bandwidthFraction: Double

    init(_ readings: [DecodeBench.Reading]) {
      tokensPerSecond = median(readings.map(\.tokensPerSecond))
      tokensPerSecondSpread = Spread(readings.map(\.tokensPerSecond))
      decodeGbs = median(readings.map(\.decoded)) / 1e9
      bandwidthGbs = median(readings.map(\.read)) / 1e9
      bandwidthFraction = median(readings.map { $0.decoded / $0.read })
    }
  }
}
