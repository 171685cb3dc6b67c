import Files
import Speculate
import TestSupport
import Testing
import Verifier

/// Where an output ends must not depend on where a block ends.
@Suite(.serialized) struct EndOfOutputTests {
  static let runner = RunnerBox()

  /// One runner for tests that run one after another.
  final class RunnerBox: @unchecked Sendable {
    // Unchecked: the suite is serialized.
    let runner = TinyModels.runner(threads: 1)
  }

  let runner = Self.runner.runner
  let context = TinyModels.configuration.maximumContext

  func speculative(
    _ prompt: [Token], future: [Token], _ parameters: GenerationParameters, drafts: Int,
    accuracy: Double = 1, capacity: Int? = nil
  ) throws -> Decoder {
    let source = OracleSource(
      future: prompt + future, quality: .chance(accuracy), maximumDrafts: drafts,
      vocabulary: TinyModels.vocabulary)
    return try Decoder(
      runner: runner, cache: runner.makeCache(capacity: capacity ?? context), prompt: prompt,
      parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(drafts)))
  }

  /// Each token of the output in turn is made the end token, so that it falls on every place of a
  /// block: on a draft, on the bonus, after a rejection.
  @Test(arguments: [0.0, 0.7, 1.0]) func anEndTokenEndsTheOutputAnywhere(_ accuracy: Double) throws
  {
    let sampling = SamplingParameters(temperature: 1, seed: 3)
    for prompt in TinyModels.prompts(6) {
      let free = GenerationParameters(sampling: sampling, maximumTokens: 30, ignoresEnd: true)
      let whole = try TinyModels.plain(prompt, free, runner: runner).ids
      for end in Set(whole) {
        let parameters = GenerationParameters(
          sampling: sampling, maximumTokens: 30, endTokens: [end, 60])
        let plain = try TinyModels.plain(prompt, parameters, runner: runner)
        #expect(plain.ids == Array(whole[...whole.firstIndex { $0 == end || $0 == 60 }!]))
        #expect(plain.reason == .endToken)
        for drafts in [1, 3, 8, 31] {
          let decoder = try speculative(
            prompt, future: whole, parameters, drafts: drafts, accuracy: accuracy)
          #expect(Array(decoder) == plain.ids)
          #expect(decoder.finishReason == .endToken)
          #expect(decoder.statistics.emittedTokens == plain.ids.count)
        }
      }
    }
  }

  @Test func theTokenLimitEndsTheOutputInsideABlock() throws {
    let prompt = TinyModels.prompts(1)[0]
    let whole = try TinyModels.plain(
      prompt, GenerationParameters(maximumTokens: 40, ignoresEnd: true), runner: runner
    ).ids
    for limit in 1...40 {
      let parameters = GenerationParameters(maximumTokens: limit, ignoresEnd: true)
      let decoder = try speculative(prompt, future: whole, parameters, drafts: 7)
      #expect(Array(decoder) == Array(whole.prefix(limit)))
      #expect(decoder.finishReason == .length)
      // No row is spent on tokens that cannot be emitted.
      #expect(decoder.statistics.targetPasses == (limit + 7) / 8)
    }
  }

  @Test func theContextEndsTheOutput() throws {
    let prompt = TinyModels.prompts(1)[0]
    let parameters = GenerationParameters(maximumTokens: .max, ignoresEnd: true)
    let plain = try TinyModels.plain(prompt, parameters, runner: runner)
    #expect(prompt.count + plain.ids.count == context && plain.reason == .context)
    for drafts in [1, 6, 31] {
      let decoder = try speculative(prompt, future: plain.ids, parameters, drafts: drafts)
      #expect(Array(decoder) == plain.ids)
      #expect(decoder.finishReason == .context)
    }
    // The limit that was asked for, as long as the context holds so much.
    var exact = parameters
    exact.maximumTokens = context - prompt.count
    #expect(try TinyModels.plain(prompt, exact, runner: runner).reason == .length)
    exact.maximumTokens += 1
    #expect(try TinyModels.plain(prompt, exact, runner: runner).reason == .context)
    // A cache shorter than the model's context ends it earlier, with the same tokens.
    let short = try speculative(prompt, future: plain.ids, parameters, drafts: 5, capacity: 64)
    #expect(Array(short) == Array(plain.ids.prefix(64 - prompt.count)))
    #expect(short.finishReason == .context)
  }

  /// Wherever a stop string ends the output, counts are those of what came out.
  @Test(arguments: [0.7, 1.0]) func whatStandsBehindAStopStringIsNotCounted(_ accuracy: Double)
    throws
  {
    let prompt = TinyModels.prompts(1)[0]
    let parameters = GenerationParameters(maximumTokens: 40, ignoresEnd: true)
    let whole = try TinyModels.plain(prompt, parameters, runner: runner).ids
    for kept in 1...39 {
      let stopped = try speculative(
        prompt, future: whole, parameters, drafts: 7, accuracy: accuracy)
      for token in whole[..<kept] { #expect(stopped.next() == token) }
      stopped.stop()
      #expect(stopped.next() == nil && stopped.finishReason == .stopString)
      let sum = stopped.statistics
      #expect(sum.emittedTokens == kept)
      #expect(sum.tau == Double(kept) / Double(sum.targetPasses))
      #expect(sum.acceptedTokens == sum.acceptedByPlace.reduce(0, +))
      #expect(sum.acceptanceHistogram.reduce(0, +) == sum.rounds - sum.plainRounds)
      #expect(
        sum.acceptedTokens
          == sum.acceptanceHistogram.enumerated().reduce(0) { $0 + $1.offset * $1.element })
      #expect(zip(sum.acceptedByPlace, sum.verifiedByPlace).allSatisfy { 0 <= $0 && $0 <= $1 })
      #expect(sum.acceptedTokens <= kept && sum.acceptedTokens >= kept - sum.rounds)
    }
  }

  @Test func cancellationEndsTheOutputBetweenRounds() throws {
    let prompt = TinyModels.prompts(1)[0]
    let parameters = GenerationParameters(maximumTokens: 40, ignoresEnd: true)
    let whole = try TinyModels.plain(prompt, parameters, runner: runner).ids
    var asked = 0
    let decoder = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
      parameters: parameters,
      strategy: DraftStrategy(
        source: OracleSource(
          future: prompt + whole, quality: .chance(1), maximumDrafts: 3,
          vocabulary: TinyModels.vocabulary), length: .fixed(3)),
      isCancelled: {
        asked += 1
        return asked > 4
      })
    let ids = Array(decoder)
    #expect(decoder.finishReason == .cancelled)
    #expect(!ids.isEmpty && ids.count < 40 && ids == Array(whole.prefix(ids.count)))

    let finished = try speculative(prompt, future: whole, parameters, drafts: 3)
    #expect(finished.next() == whole[0])
    finished.finish(.stopString)
    // What was committed is still handed out.
    #expect(Array(finished) == Array(whole[1..<4]))
    #expect(finished.finishReason == .stopString)
  }

  @Test func promptsThatCannotBeDecodedAreErrors() throws {
    let cache = try runner.makeCache(capacity: context)
    func decode(_ prompt: [Token]) throws {
      _ = try Decoder(
        runner: runner, cache: cache, prompt: prompt, parameters: GenerationParameters())
    }
    #expect(
      throws: SpeculateError(
        "the prompt has no tokens and the model no begin token: give at least one character")
    ) { try decode([]) }
    #expect(
      throws: SpeculateError(
        "the prompt has 160 tokens, but the context holds 160 with at least one to generate:"
          + " shorten the prompt")
    ) { try decode([Token](repeating: 1, count: 160)) }
    #expect(
      throws: SpeculateError(
        "the prompt holds token 61, but the model has 61 tokens:"
          + " use the tokenizer made for this model")
    ) { try decode([1, 61]) }
    try decode([Token](repeating: 1, count: 159))
  }
}
