import Files
import Speculate
import Tensors
import Verifier

/// Plain decoding and reading in turn.
struct DecodeBench {
  /// One measurement of decoding, and the mean of the reads before and after it.
  struct Reading {
    var tokensPerSecond: Double
    /// Bytes of weights per second that decoding moved.
    var decoded: Double
    /// Bytes per second that a simple read moved.
    var read: Double
  }

  private let reader: WeightReader
  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let tokens: Int
  private let prompt: [Token]

  /// - Throws: `SpeculateError` when the model's context has no room for the tokens.
  init(
    model: CausalModel, workers: Workers, cacheFormat: KeyValueFormat, context: Int, tokens: Int
  ) throws {
    reader = WeightReader(model)
    runner = CausalRunner(model: model, workers: workers, maximumRows: 64, cacheFormat: cacheFormat)
    self.tokens = tokens
    // What the text is has no influence on the time; only its length has.
    prompt = (0..<context + 1).map { Token($0 * 31 % model.configuration.vocabularySize) }
    cache = try runner.makeCache(capacity: prompt.count + tokens)
  }

  /// Reads, decodes, reads; nil after Ctrl-C.
  func measure() throws -> Reading? {
    let before = reader.measure(passes: tokens, workers: runner.workers)
    cache.reset()
    let decoder = try Decoder(
      runner: runner, cache: cache, prompt: prompt,
      parameters: GenerationParameters(maximumTokens: tokens, ignoresEnd: true),
      isCancelled: { Interruption.requested })
    while decoder.next() != nil {}
    if let failure = decoder.failure { throw failure }
    let after = reader.measure(passes: tokens, workers: runner.workers)
    let rate = decoder.statistics.tokensPerSecond
    guard !Interruption.requested, rate > 0 else { return nil }
    return Reading(
      tokensPerSecond: rate, decoded: rate * Double(reader.bytes), read: (before + after) / 2)
  }
}
