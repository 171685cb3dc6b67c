import Analysis
import ArgumentParser
import Files
import Foundation
import Tensors
import Text
import Verifier

/// A text, or its beginning, on which models are measured.
struct PerplexitySample {
  let tokens: [Token]
  /// [tokens] the bytes that each stands for.
  private let sizes: [Int]

  /// Reads a text as tokens of a model.
  ///
  /// - Parameters:
  ///   - name: What messages call it: the option and the path.
  ///   - count: Tokens to take at most; nil for all.
  /// - Throws: `SpeculateError` if the text can't be read or is too short.
  init(_ path: String, name: String, tokens count: Int?, of model: URL) throws {
    // Ample: more bytes than these make more tokens than are wanted.
    let limit = count.map { 64 * $0 }
    guard let file = FileHandle(forReadingAtPath: path),
      let bytes = try? limit.map(file.read(upToCount:)) ?? file.readToEnd()
    else {
      throw SpeculateError("\(name): can't be read; check the path")
    }
    let tokenizer = try TokenizerLoader.load(directory: model)
    let tokens = try tokenizer.encode(String(decoding: bytes, as: UTF8.self), addSpecial: false)
    guard tokens.count >= 2 else {
      throw SpeculateError("\(name): is too short; give a text of a page or more")
    }
    self.tokens = Array(tokens.prefix(count ?? .max))
    sizes = self.tokens.map { tokenizer.bytes(of: $0).count }
  }

  /// The bytes that a model predicts: nothing foretells the first token of a window without a begin token.
  func predictedBytes(window: Int, of model: CausalModel) -> Int {
    let hasBegin = model.configuration.beginToken != nil
    return sizes.indices.reduce(0) { $0 + (hasBegin || $1 % window > 0 ? sizes[$1] : 0) }
  }

  /// Reads the text with a model.
  ///
  /// - Parameter name: What progress is of, beside perplexity.
  /// - Throws: `SpeculateError` if the text can't be predicted, and exit code 130 after Ctrl-C.
  func measure(
    _ model: CausalModel, name: String = "", window: Int = Perplexity.usualWindow,
    cacheFormat: KeyValueFormat = .f32, threads: Int
  ) throws -> Perplexity {
    let line = ProgressLine("perplexity\(name)", unit: "tokens", total: tokens.count)
    let result = try Perplexity.measure(
      model, text: tokens, window: window, cacheFormat: cacheFormat,
      workers: Workers(count: threads), onPiece: { line.update(min($0, tokens.count)) },
      isCancelled: { Interruption.requested })
    guard let result else {
      line.clear()
      throw Interruption.exitCode
    }
    line.finish(tokens.count)
    return result
  }
}
