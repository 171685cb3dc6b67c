import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// The Jacobi decoder: the output of plain decoding, whatever is guessed.
@Suite(.serialized) struct JacobiTests {
  static let policy = JacobiPolicy(PassTimes([(1, 1), (8, 1.2), (64, 3)]), maximumRows: 64)
  static let context = TinyModels.configuration.maximumContext

  static func runner(threads: Int) -> CausalRunner {
    CausalRunner(model: TinyModels.target, workers: Workers(count: threads), maximumRows: 64)
  }

  static func decoder(
    _ runner: CausalRunner, _ cache: KeyValueCache, _ prompt: [Token],
    _ parameters: GenerationParameters, _ options: JacobiOptions, policy: JacobiPolicy = policy
  ) throws -> Decoder {
    cache.reset()
    return try Decoder(
      runner: runner, cache: cache, prompt: prompt, parameters: parameters,
      strategy: JacobiStrategy(options: options, policy: policy))
  }

  /// n = 4…64, K = 1…4, pools of every size, fixed and chosen widths.
  @Test(arguments: ExactnessTests.settings) func outputIsPlain(
    _ setting: ExactnessTests.Setting
  ) throws {
    let runner = Self.runner(threads: setting.threads)
    let cache = try runner.makeCache(capacity: Self.context)
    var all = GenerationStatistics()
    for (index, prompt) in ExactnessTests.prompts.prefix(16).enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(
          temperature: setting.temperature, topK: [0, 9][index % 2],
          repetitionPenalty: [1, 1.3, 0.8][index % 3], seed: UInt64(index)),
        maximumTokens: 70, ignoresEnd: index % 4 != 0)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      for block in [4, 5, 8, 16, 31, 64] {
        for blocks in 1...4 {
          let options = JacobiOptions(
            block: block, blocks: blocks, spawn: [0.3, 0.85, 1][(index + block) % 3],
            pool: [0, 1, 4, 16][(index + blocks) % 4], suffix: (index + block) % 2 == 0,
            rows: [nil, 2, 16, 64][(index + block + blocks) % 4])
          let decoder = try Self.decoder(runner, cache, prompt, parameters, options)
          #expect(Array(decoder) == plain.ids, "\(options)")
          #expect(decoder.finishReason == plain.reason)
          #expect(decoder.statistics.emittedTokens == plain.ids.count)
          all += decoder.statistics
        }
      }
    }
    #expect(all.tau > 1.05)
    // Sampled text of a random model hardly repeats itself.
    #expect(all.recycledTokens > 0 && (all.suffixTokens > 0 || setting.temperature > 0))
  }

  /// The same prompts under every pool and block count: one output.
  @Test func poolsAndBlocksNeverChangeTheOutput() throws {
    let runner = Self.runner(threads: 2)
    let cache = try runner.makeCache(capacity: Self.context)
    // What was learned elsewhere must not matter either.
    var learned = Self.policy
    // Total passes of each choice, which must not all be alike, or this proves nothing.
    var passes = [Int](repeating: 0, count: 4 * 4 * 2)
    for (index, prompt) in FreeDraftTests.prompts.prefix(20).enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: 0.8, seed: UInt64(index)), maximumTokens: 80)
      var outputs: Set<[Token]> = []
      var choice = 0
      for pool in [0, 2, 4, 32] {
        for blocks in 1...4 {
          for suffix in [false, true] {
            let options = JacobiOptions(
              block: 12, blocks: blocks, spawn: 0.5, pool: pool, suffix: suffix, rows: 32)
            let decoder = try Self.decoder(
              runner, cache, prompt, parameters, options, policy: learned)
            outputs.insert(Array(decoder))
            passes[choice] += decoder.statistics.targetPasses
            choice += 1
            learned = try #require(decoder.strategy as? JacobiStrategy).policy
          }
        }
      }
      #expect(outputs.count == 1)
    }
    #expect(Set(passes).count > 4)
  }

  /// Each token of the output in turn is the end token, so that it falls on every place of a block.
  @Test func anEndTokenEndsTheOutputAnywhere() throws {
    let runner = Self.runner(threads: 1)
    let cache = try runner.makeCache(capacity: Self.context)
    for (index, prompt) in TinyModels.prompts(6).enumerated() {
      let sampling = SamplingParameters(temperature: Float(index % 2), seed: 3)
      let free = GenerationParameters(sampling: sampling, maximumTokens: 40, ignoresEnd: true)
      let whole = try TinyModels.plain(prompt, free, runner: runner).ids
      for end in Set(whole) {
        let parameters = GenerationParameters(
          sampling: sampling, maximumTokens: 40, endTokens: [end])
        for options in [
          JacobiOptions(block: 4, rows: 16), JacobiOptions(block: 16, blocks: 3, rows: 64),
        ] {
          let decoder = try Self.decoder(runner, cache, prompt, parameters, options)
          #expect(Array(decoder) == Array(whole[...whole.firstIndex(of: end)!]))
          #expect(decoder.finishReason == .endToken)
        }
      }
    }
  }

  @Test func limitsEndTheOutput() throws {
    let runner = Self.runner(threads: 1)
    let cache = try runner.makeCache(capacity: Self.context)
    let prompt = TinyModels.prompts(1)[0]
    let plain = try TinyModels.plain(
      prompt, GenerationParameters(maximumTokens: .max, ignoresEnd: true), runner: runner)
    for limit in [1, 2, 3, 7, 40, .max] {
      let decoder = try Self.decoder(
        runner, cache, prompt, GenerationParameters(maximumTokens: limit, ignoresEnd: true),
        JacobiOptions(block: 8, blocks: 3, rows: 64))
      #expect(Array(decoder) == Array(plain.ids.prefix(limit)))
      #expect(decoder.finishReason == (limit == .max ? .context : .length))
    }
    var asked = 0
    let cancelled = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: Self.context), prompt: prompt,
      parameters: GenerationParameters(maximumTokens: 50, ignoresEnd: true),
      strategy: JacobiStrategy(options: JacobiOptions(), policy: Self.policy),
      isCancelled: {
        asked += 1
        return asked > 4
      })
    let ids = Array(cancelled)
    #expect(cancelled.finishReason == .cancelled && ids == Array(plain.ids.prefix(ids.count)))
  }

  /// The tokens at two places, over many seeds, are distributed as the model says.
  @Test func samplesFollowTheModel() throws {
    let runner = Self.runner(threads: 1)
    let cache = try runner.makeCache(capacity: Self.context)
    let prompt: [Token] = [5, 17, 5, 17, 5, 17]
    let vocabulary = TinyModels.vocabulary
    func distribution(_ text: [Token]) throws -> [Double] {
      cache.reset()
      runner.read(text, into: cache, logits: .last)
      let weights = (0..<vocabulary).map { exp(Double(runner.logits[$0])) }
      let sum = weights.reduce(0, +)
      return weights.map { $0 / sum }
    }
    let first = try distribution(prompt)
    var second = [Double](repeating: 0, count: vocabulary)
    for token in 0..<vocabulary {
      for (next, chance) in try distribution(prompt + [Token(token)]).enumerated() {
        second[next] += first[token] * chance
      }
    }
    var counts = [[Int]](repeating: [Int](repeating: 0, count: vocabulary), count: 2)
    for seed in 0..<6000 {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: 1, seed: UInt64(seed)), maximumTokens: 6,
        ignoresEnd: true)
      let options = JacobiOptions(block: 4 + seed % 5, blocks: 1 + seed % 3, rows: 16)
      let ids = Array(try Self.decoder(runner, cache, prompt, parameters, options))
      counts[0][Int(ids[0])] += 1
      counts[1][Int(ids[1])] += 1
    }
    for (count, probability) in zip(counts, [first, second]) {
      let (value, freedom) = ChiSquare.statistic(count, probability)
      #expect(freedom > 10 && value < ChiSquare.critical(freedom))
    }
  }

  @Test func optionsAreChecked() {
    func expect(_ options: JacobiOptions, _ message: String) {
      #expect(throws: SpeculateError(message)) { try options.validated() }
    }
    expect(JacobiOptions(block: 1), "Jacobi block 1 is out of range: use 2 to 1024")
    expect(JacobiOptions(blocks: 0), "Jacobi blocks 0 is out of range: use 1 to 64")
    expect(
      JacobiOptions(spawn: 0),
      "Jacobi spawn 0.0 is out of range: use more than 0 and at most 1")
    expect(
      JacobiOptions(pool: -1),
      "Jacobi pool -1 is out of range: use 0 to 64 (0 recycles nothing)")
    expect(JacobiOptions(rows: 1), "Jacobi rows 1 is out of range: use 2 or more")
  }
}

/// The bookkeeping of blocks, without a model.
@Suite struct JacobiBlocksTests {
  @Test func theFirstBlockIsCommittedAndTheOthersFollow() {
    var blocks = JacobiBlocks(size: 4, most: 2, spawn: 0.5)
    #expect(blocks.wantsBlock)
    blocks.open([1, 2, 3, 4])
    #expect(!blocks.wantsBlock)
    // One token is committed; the rest is guessed again.
    blocks.advance(emitted: 1) { [1: 12, 2: 3, 3: 14][$0] }
    #expect(blocks.guess == [12, 3, 14] && !blocks.wantsBlock)
    blocks.advance(emitted: 1) { _ in nil }
    #expect(blocks.guess == [3, 14] && blocks.blocks[0].accepted == 2)
    #expect(blocks.wantsBlock)
    blocks.open([5, 6, 7, 8])
    #expect(!blocks.wantsBlock && blocks.guess == [3, 14, 5, 6, 7, 8])
    // The second block's first two tokens stay: it has two accepted ones.
    blocks.advance(emitted: 1) { [1: 15, 2: 5, 3: 6, 4: 0, 5: 8][$0] }
    #expect(blocks.guess == [15, 5, 6, 0, 8])
    #expect(blocks.blocks.map(\.accepted) == [3, 2])
    // Two tokens: the rest of the first block and the beginning of the second, which is now first.
    blocks.advance(emitted: 2) { [2: 6, 3: 1, 4: 8][$0] }
    #expect(blocks.guess == [6, 1, 8] && blocks.blocks.count == 1 && blocks.wantsBlock)
    blocks.replace(with: [9, 9, 9, 9, 9])
    #expect(blocks.guess == [9, 9, 9])
    blocks.advance(emitted: 7) { _ in nil }
    #expect(blocks.guess.isEmpty && blocks.wantsBlock)
  }
}
