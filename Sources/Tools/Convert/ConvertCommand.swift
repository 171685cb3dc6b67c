import Analysis
import ArgumentParser
import Files
import Foundation
import Tensors
import Text
import Verifier

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a model's folder with its weights in another format.",
    discussion: """
      A converted model is a target of its own: its text differs from the original's, but never \
      between plain and speculative decoding. A drafter of the original works for it. The layout of \
      the files is in docs/formats.md.

      speculate convert ~/models/Qwen3-0.6B ~/models/Qwen3-0.6B-int8 --weights int8
      speculate convert Weights/target small --weights int4 --perplexity book.txt
      """)

  @Argument(help: ArgumentHelp("Folder of the model to convert.", valueName: "source"))
  var source: String
  @Argument(help: ArgumentHelp("Folder to write.", valueName: "destination"))
  var destination: String
  @Option("Format of the matrices.", value: "format") var weights: WeightFormat
  @Option(
    "Format of the head. (default: like the matrices, but int8 where they are int4)",
    value: "format")
  var headWeights: WeightFormat?
  @Option("Format of the token embedding. (default: like the head)", value: "format")
  var embeddingWeights: WeightFormat?
  @Option("A text whose perplexity is measured before and after.", value: "file")
  var perplexity: String?
  @Option("Tokens of that text to read, at most.", value: "n") var perplexityTokens = 4096
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Replace a model that is in the destination already.") var force = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    try OptionCheck.range("--perplexity-tokens", perplexityTokens, 2...100_000_000)
  }

  func run() throws {
    let folder = try ModelFolder.url(source, option: "source")
    let target = URL(filePath: destination, directoryHint: .isDirectory)
    let sample = try perplexity.map { try tokens(of: $0, folder: folder) }
    let converter = try ModelConverter(
      source: folder,
      formats: WeightFormats(layers: weights, head: headWeights, embedding: embeddingWeights))
    Interruption.watch()
    let line = ProgressLine("convert", unit: "tensors", total: converter.tensorCount)
    try converter.write(to: target, replaces: force) { done in
      if Interruption.requested {
        line.clear()
        Output.note("stopped; nothing was written\n")
        throw Interruption.exitCode
      }
      line.update(done)
    }
    line.finish(converter.tensorCount)
    let before = try sample.map { try measure(folder, $0, name: "before") }
    let after = try sample.map { try measure(target, $0, name: "after") }
    let report = Report(
      source: folder.path, destination: target.path, weights: converter.formats.description,
      bytesBefore: converter.sourceBytes, bytesAfter: converter.convertedBytes,
      perplexityTokens: before?.tokens, perplexityBefore: before?.value,
      perplexityAfter: after?.value)
    try CommandReport(lines: report.lines, parts: [report]).show(json: json)
  }

  /// The beginning of a text as tokens of the model.
  private func tokens(of path: String, folder: URL) throws -> [Token] {
    // Ample: more bytes than these make more tokens than are wanted.
    let limit = 64 * perplexityTokens
    guard let file = FileHandle(forReadingAtPath: path),
      let bytes = try? file.read(upToCount: limit)
    else {
      throw SpeculateError("--perplexity \(path): can't be read; check the path")
    }
    let tokens = try TokenizerLoader.load(directory: folder)
      .encode(String(decoding: bytes, as: UTF8.self), addSpecial: false)
    guard tokens.count >= 2 else {
      throw SpeculateError("--perplexity \(path): is too short; give a text of a page or more")
    }
    return Array(tokens.prefix(perplexityTokens))
  }

  private func measure(_ folder: URL, _ text: [Token], name: String) throws -> Perplexity {
    let model = try CausalModel(directory: folder)
    let line = ProgressLine("perplexity \(name)", unit: "tokens", total: text.count)
    let result = try Perplexity.measure(
      model, text: text, workers: Workers(count: threads.count),
      onPiece: { line.update(min($0, text.count)) }, isCancelled: { Interruption.requested })
    guard let result else {
      line.clear()
      throw Interruption.exitCode
    }
    line.finish(text.count)
    return result
  }

  private struct Report: Encodable {
    var source: String
    var destination: String
    var weights: String
    var bytesBefore: Int
    var bytesAfter: Int
    var perplexityTokens: Int?
    var perplexityBefore: Double?
    var perplexityAfter: Double?

    var lines: [String] {
      var lines = [
        "\(destination): \(weights)",
        "weights \(Figures.bytes(bytesBefore)) before, \(Figures.bytes(bytesAfter)) after",
      ]
      if let before = perplexityBefore, let after = perplexityAfter {
        lines.append(
          "perplexity \(Figures.fixed(before, 4)) before, \(Figures.fixed(after, 4)) after "
            + "(\(Figures.fixed(100 * (after / before - 1), 2)) %, "
            + "\(Figures.count(perplexityTokens ?? 0)) tokens)")
      }
      return lines
    }
  }
}
