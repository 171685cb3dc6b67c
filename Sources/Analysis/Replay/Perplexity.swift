package import Files
import Foundation
import Speculate
package import Tensors
package import Verifier

/// How well a model predicts a text: what quantising it costs, measured.
///
/// The text is cut into windows that are read one by one, each from an empty cache and after the
/// model's begin token if it has one.
package struct Perplexity: Sendable, Equatable {
  package private(set) var tokens = 0
  /// The sum of their negative log-probabilities.
  package private(set) var loss = 0.0

  /// `exp` of the mean negative log-probability; infinite before the first token.
  package var value: Double { tokens > 0 ? exp(loss / Double(tokens)) : .infinity }

  private init() {}

  /// Tokens of a window, where nothing else is said.
  package static let usualWindow = 512

  /// Reads a text with a model.
  ///
  /// - Parameters:
  ///   - text: at least two tokens.
  ///   - window: tokens read from an empty cache, at least two.
  ///   - cacheFormat: how keys and values are held.
  ///   - onPiece: receives the number of tokens read so far.
  ///   - isCancelled: asked after every piece.
  /// - Returns: what was measured; nil if cancelled.
  /// - Throws: ``SpeculateError`` if the text is too short to predict anything, or logits aren't finite.
  package static func measure(
    _ model: CausalModel, text: [Token], window: Int = usualWindow,
    cacheFormat: KeyValueFormat = .f32, workers: Workers,
    onPiece: (Int) -> Void = { _ in }, isCancelled: () -> Bool = { Task.isCancelled }
  ) throws -> Perplexity? {
    guard text.count >= 2 else {
      throw SpeculateError("the text has \(text.count) tokens: perplexity needs at least 2")
    }
    let begin = model.configuration.beginToken
    let width = min(max(2, window), model.configuration.maximumContext - 1)
    return try measure(
      model,
      windows: stride(from: 0, to: text.count, by: width).map { start in
        (begin.map { [$0] } ?? []) + text[start..<min(start + width, text.count)]
      }, cacheFormat: cacheFormat, workers: workers, onPiece: onPiece, isCancelled: isCancelled)
  }

  /// Reads several texts with a model, each from an empty cache and as it stands.
  ///
  /// - Parameters: as above; a window's first token is not predicted.
  /// - Returns: what was measured; nil if cancelled.
  /// - Throws: ``SpeculateError`` if a window is longer than the model's context, or logits aren't
  ///   finite.
  package static func measure(
    _ model: CausalModel, windows: [[Token]], cacheFormat: KeyValueFormat = .f32,
    workers: Workers,
    onPiece: (Int) -> Void = { _ in }, isCancelled: () -> Bool = { Task.isCancelled }
  ) throws -> Perplexity? {
    let runner = CausalRunner(
      model: model, workers: workers, maximumRows: 64, cacheFormat: cacheFormat)
    let cache = try runner.makeCache(capacity: max(1, windows.map(\.count).max() ?? 1))
    let scratch = FloatBuffer(count: model.configuration.vocabularySize)
    var result = Perplexity()
    var read = 0
    for tokens in windows {
      cache.reset()
      // The last token only predicts what is not there.
      var isStopped = false
      try runner.read(tokens.dropLast(), into: cache, logits: .all) { piece in
        for (row, position) in piece.enumerated() {
          let logits = runner.logits + row * scratch.count
          try result.add(logits, next: tokens[position + 1], at: position + 1, scratch: scratch)
        }
        onPiece(read + piece.upperBound)
        isStopped = isCancelled()
        return !isStopped
      }
      if isStopped { return nil }
      read += tokens.count
    }
    return result
  }

  private mutating func add(
    _ logits: UnsafePointer<Float>, next: Token, at position: Int, scratch: FloatBuffer
  ) throws {
    guard let top = Kernels.finiteMaximum(logits, count: scratch.count) else {
      throw SpeculateError.unusable("model", position: position)
    }
    let sum = Kernels.exp(logits, into: scratch.base, count: scratch.count, shift: top)
    loss += log(Double(sum)) - Double(logits[Int(next)] - top)
    tokens += 1
  }
}
