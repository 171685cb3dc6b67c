import Analysis
import ArgumentParser
import Files
import Foundation
import Tensors
import Text
import Verifier

/// The beginning of a text, on which models are measured before and after a conversion.
struct PerplexitySample {
  private let tokens: [Token]

  /// Reads the text as tokens of a model.
  ///
  /// - Throws: `SpeculateError` if the text can't be read or is too short.
  init(_ path: String, tokens count: Int, of folder: URL) throws {
    // Ample: more bytes than these make more tokens than are wanted.
    let limit = 64 * count
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
    self.tokens = Array(tokens.prefix(count))
  }

  /// Reads the text with a model.
  ///
  /// - Throws: `SpeculateError` if the model can't be loaded, and exit code 130 after Ctrl-C.
  func measure(_ folder: URL, name: String, threads: Int) throws -> Perplexity {
    let model = try CausalModel(directory: folder)
    let line = ProgressLine("perplexity \(name)", unit: "tokens", total: tokens.count)
    let result = try Perplexity.measure(
      model, text: tokens, workers: Workers(count: threads),
      onPiece: { line.update(min($0, tokens.count)) },
      isCancelled: { Interruption.requested })
    guard let result else {
      line.clear()
      throw Interruption.exitCode
    }
    line.finish(tokens.count)
    return result
  }
}
