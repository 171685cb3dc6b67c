import Analysis
import ArgumentParser
import Files
import Foundation
import Tensors
import Verifier

struct AnalyzePerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Say how well a target predicts a text: what formats and conversions cost.",
    discussion: """
      The text is cut into windows that are read one by one, each from an empty cache and behind the \
      model's begin token if it has one. Perplexities of models with other tokenizers can't be compared, \
      but bits a byte can.

        speculate analyze perplexity book.txt --target model.gguf
        speculate analyze perplexity book.txt --weights int4 --kv-type bf16 --json
      """)

  @Argument(help: ArgumentHelp("A text file.", valueName: "text")) var text: String
  @OptionGroup(title: "Model") var target: TargetOptions
  @OptionGroup(title: "Model") var weights: WeightOptions
  @OptionGroup(title: "Model") var cache: CacheOptions
  @Option("Tokens of a window.", value: "n") var window = Perplexity.usualWindow
  @Option("Tokens of the text to read, at most. (default: all)", value: "n") var tokens: Int?
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    try OptionCheck.range("--window", window, 2...1_000_000)
    try OptionCheck.range("--tokens", tokens, 2...100_000_000)
  }

  func run() throws {
    let folder = try target.folder()
    let sample = try PerplexitySample(text, name: text, tokens: tokens, of: folder)
    let model = try CausalModel(directory: folder, weights: weights.choice)
    Output.notices(of: model)
    let context = model.configuration.maximumContext
    guard window < context else {
      throw SpeculateError(
        "--window \(window) and a begin token don't fit the target's context of "
          + "\(Figures.count(context)); give a smaller one")
    }
    Interruption.watch()
    let measured = try sample.measure(
      model, window: window, cacheFormat: cache.format, threads: threads.count)
    let report = Report(
      target: target.target ?? "embedded target", weights: model.formats.description,
      kvType: cache.format.rawValue, window: window, tokens: measured.tokens,
      bytes: sample.predictedBytes(window: window, of: model), loss: measured.loss,
      perplexity: measured.value)
    try CommandReport(lines: report.lines, parts: [report]).show(json: json)
  }

  private struct Report: Encodable {
    let target: String
    let weights: String
    let kvType: String
    let window: Int
    let tokens: Int
    let bytes: Int
    let perplexity: Double
    let lossPerToken: Double
    let bitsPerByte: Double

    init(
      target: String, weights: String, kvType: String, window: Int, tokens: Int, bytes: Int,
      loss: Double, perplexity: Double
    ) {
      self.target = target
      self.weights = weights
      self.kvType = kvType
      self.window = window
      self.tokens = tokens
      self.bytes = bytes
      self.perplexity = perplexity
      lossPerToken = loss / Double(tokens)
      bitsPerByte = loss / log(2) / Double(max(1, bytes))
    }

    var lines: [String] {
      [
        "\(target), \(weights), keys and values \(kvType)",
        "perplexity \(Figures.fixed(perplexity, 4)) (\(Figures.count(tokens)) tokens in windows of "
          + "\(window)), \(Figures.fixed(lossPerToken, 4)) nats a token, "
          + "\(Figures.fixed(bitsPerByte, 4)) bits a byte",
      ]
    }
  }
}
