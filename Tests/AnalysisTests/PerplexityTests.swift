import Analysis
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

struct PerplexityTests {
  static let text = Array(TinyModels.prompts(30).joined().prefix(150))

  /// Token by token, in double precision.
  private func expected(window: Int) throws -> (loss: Double, tokens: Int) {
    let runner = TinyModels.runner(threads: 1)
    let vocabulary = TinyModels.vocabulary
    var (loss, count) = (0.0, 0)
    for start in stride(from: 0, to: Self.text.count, by: window) {
      let tokens = Array(Self.text[start..<min(start + window, Self.text.count)])
      let cache = try runner.makeCache(capacity: window)
      for (token, next) in zip(tokens, tokens.dropFirst()) {
        runner.read([token], into: cache, logits: .last)
        let logits = (0..<vocabulary).map { Double(runner.logits[$0]) }
        loss += log(logits.reduce(0) { $0 + exp($1) }) - logits[Int(next)]
        count += 1
      }
    }
    return (loss, count)
  }

  @Test(arguments: [7, 70, 150]) func isThatOfTheLogits(window: Int) throws {
    let result = try #require(
      try Perplexity.measure(
        TinyModels.target, text: Self.text, window: window, workers: Workers(count: 2)))
    let expected = try expected(window: window)
    #expect(result.tokens == expected.tokens)
    #expect(abs(result.loss - expected.loss) < 1e-4 * expected.loss)
    #expect(result.value == exp(result.loss / Double(result.tokens)))
  }

  @Test func canBeCutShort() throws {
    let result = try Perplexity.measure(
      TinyModels.target, text: Self.text, workers: Workers(count: 1), isCancelled: { true })
    #expect(result == nil)
  }

  @Test func aTextNeedsTwoTokens() {
    #expect(throws: SpeculateError("the text has 1 tokens: perplexity needs at least 2")) {
      try Perplexity.measure(TinyModels.target, text: [1], workers: Workers(count: 1))
    }
  }
}
