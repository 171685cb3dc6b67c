import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate
import Tensors
import Text
import Verifier

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a model as a folder or a GGUF file with its weights in another format.",
    discussion: """
      A converted model is a target of its own: its text differs from the original's, but never \
      between plain and speculative decoding. A drafter of the original works for it. The layout of \
      folders is in docs/formats.md, that of GGUF files in docs/gguf.md.

      speculate convert ~/models/Qwen3-0.6B ~/models/Qwen3-0.6B-int8 --weights int8
      speculate convert ~/models/Qwen3-0.6B qwen3-0.6b.gguf --weights q4_k
      speculate convert Weights/target small --weights int4 --perplexity book.txt
      speculate convert drafter for-vllm --weights bf16 --to speculators --target target
      """)

  /// What is written.
  enum Form: String, CaseIterable, ExpressibleByArgument {
    case folder, gguf
    /// Layouts of other projects for drafters.
    case zlab, speculators

    var layout: PublishedDrafterLayout? { PublishedDrafterLayout(rawValue: rawValue) }
  }

  @Argument(
    help: ArgumentHelp("Folder or GGUF file of the model to convert.", valueName: "source"))
  var source: String
  @Argument(help: ArgumentHelp("Folder or GGUF file to write.", valueName: "destination"))
  var destination: String
  @Option("Format of the matrices.", value: "format") var weights: ConvertedFormat
  @Option(
    """
    What to write; 'zlab' and 'speculators' are folders of drafters as those projects read them. \
    (default: gguf if the destination's name ends in .gguf, else folder)
    """, value: "form")
  var to: Form?
  @Option(
    "Format of the head. (default: like the matrices, but int8 where they have 5 bits or less)",
    value: "format")
  var headWeights: ConvertedFormat?
  @Option("Format of the token embedding. (default: like the head)", value: "format")
  var embeddingWeights: ConvertedFormat?
  @Option(
    """
    The target of a drafter, whose tokenizer and head of a draft vocabulary go into a GGUF file, and whose \
    embedding and head into a folder of speculators.
    """, value: "dir")
  var target: String?
  @Option("A text whose perplexity is measured before and after.", value: "file")
  var perplexity: String?
  @Option("Tokens of that text to read, at most.", value: "n") var perplexityTokens = 4096
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Replace a model that is in the destination already.") var force = false
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    try OptionCheck.range("--perplexity-tokens", perplexityTokens, 2...100_000_000)
  }

  private var writesGGUF: Bool {
    to.map { $0 == .gguf } ?? GGUFFile.isMeant(by: URL(filePath: destination))
  }

  func run() throws {
    let folder = try ModelFolder.url(source, option: "source")
    let place = URL(
      filePath: destination, directoryHint: writesGGUF ? .notDirectory : .isDirectory)
    let isDrafter = try Conversion.isDrafter(folder)
    if isDrafter {
      try refuseForDrafter()
    } else if let option = target != nil ? "--target" : to?.layout.map({ "--to \($0.rawValue)" }) {
      throw SpeculateError("\(option) belongs to a drafter, but \(source) is a causal model")
    }
    let sample = try perplexity.map {
      try PerplexitySample(
        $0, name: "--perplexity \($0)", tokens: perplexityTokens, of: folder)
    }
    let conversion: Conversion
    let drafterTarget = try target.map { try ModelFolder.url($0, option: "--target") }
    if let layout = to?.layout {
      conversion = try .drafter(
        folder, as: layout, type: weights.elementType(), target: drafterTarget)
    } else if isDrafter {
      conversion = try .drafter(folder, type: weights.type, target: drafterTarget)
    } else if writesGGUF {
      conversion = try .file(
        folder,
        GGUFTypes(
          layers: weights.type, head: headWeights?.type, embedding: embeddingWeights?.type))
    } else {
      conversion = try .folder(
        folder,
        WeightFormats(
          layers: weights.folderFormat(), head: headWeights?.folderFormat(),
          embedding: embeddingWeights?.folderFormat()))
    }
    for note in conversion.notes { Output.note("\(note)\n") }
    Interruption.watch()
    let line = ProgressLine("convert", unit: "tensors", total: conversion.tensorCount)
    try conversion.write(to: place, replaces: force) { done in
      if Interruption.requested {
        line.clear()
        Output.note("stopped; nothing was written\n")
        throw Interruption.exitCode
      }
      line.update(done)
    }
    line.finish(conversion.tensorCount)
    let before = try sample.map { try measure($0, folder, " before") }
    let after = try sample.map { try measure($0, place, " after") }
    let report = Report(
      source: folder.path, destination: place.path, weights: conversion.formats,
      bytesBefore: conversion.sourceBytes, bytesAfter: conversion.convertedBytes,
      notes: conversion.notes, perplexityTokens: before?.tokens, perplexityBefore: before?.value,
      perplexityAfter: after?.value)
    try CommandReport(lines: report.lines, parts: [report]).show(json: json)
  }

  private func measure(
    _ sample: PerplexitySample, _ place: URL, _ name: String
  ) throws -> Perplexity {
    let model = try CausalModel(directory: place)
    Output.notices(of: model)
    return try sample.measure(model, name: name, threads: threads.count)
  }

  private func refuseForDrafter() throws {
    guard writesGGUF || to?.layout != nil else {
      throw SpeculateError(
        "\(source): is a drafter, which is converted to a GGUF file or for another project only; give a "
          + "destination that ends in .gguf, --to zlab or --to speculators, or, to hold it in another "
          + "format, --drafter-weights")
    }
    if to == .zlab && target != nil {
      throw SpeculateError("--target means nothing with --to zlab: leave one of them out")
    }
    for (option, isGiven) in [
      ("--head-weights", headWeights != nil), ("--embedding-weights", embeddingWeights != nil),
      ("--perplexity", perplexity != nil),
    ] where isGiven {
      throw SpeculateError("\(option) means nothing for a drafter: leave it out")
    }
  }

  private struct Report: Encodable {
    var source: String
    var destination: String
    var weights: String
    var bytesBefore: Int
    var bytesAfter: Int
    var notes: [String]
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
