import Drafter
import Speculate
import Tensors
import Testing
import Verifier

/// Replaying a recorded output gives the rounds that the decoder had.
@Suite struct DraftReplayTests {
  @Test(arguments: [0, 1] as [Float]) func replayedRoundsAreTheDecodersOwn(_ temperature: Float)
    throws
  {
    let context = TinyModels.configuration.maximumContext
    let drafter = TinyModels.drafter(blockSize: 8)
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    func source() throws -> BlockDraftSource {
      try BlockDraftSource(
        drafter: drafter, target: TinyModels.target, workers: Workers(count: 1), capacity: context)
    }
    let served = try source()
    let replay = DraftReplay(runner: runner, source: try source())
    var accepted = 0
    for (index, prompt) in TinyModels.prompts(12).enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(
          temperature: temperature, repetitionPenalty: index % 3 == 0 ? 1.3 : 1,
          seed: UInt64(index)), maximumTokens: 40)
      for choice in DraftChoice.allCases {
        for count in [1, 3, 7] {
          let decoder = try DraftVerifyDecoder(
            runner: runner, cache: runner.makeCache(capacity: context), source: served,
            prompt: prompt, parameters: parameters, length: .fixed(count), draftChoice: choice)
          let ids = Array(decoder)
          try replay.load(.init(prompt: prompt, output: ids))
          var length = DraftLength.fixed(count)
          let rounds = replay.rounds(
            parameters: parameters, length: &length, choice: choice, cost: CostModelTests.model)
          var statistics = GenerationStatistics()
          for (place, round) in rounds.enumerated() {
            statistics.countRound(
              drafted: round.drafted, verified: round.verified, accepted: round.accepted,
              emitted: round.emitted, ended: place == rounds.count - 1)
          }
          #expect(statistics.rounds == decoder.statistics.rounds)
          #expect(statistics.acceptanceHistogram == decoder.statistics.acceptanceHistogram)
          #expect(statistics.verifiedByPlace == decoder.statistics.verifiedByPlace)
          #expect(statistics.acceptedByPlace == decoder.statistics.acceptedByPlace)
          #expect(statistics.emittedTokens == ids.count)
          accepted += statistics.acceptedTokens
        }
      }
    }
    #expect(accepted > 10)
  }

  /// An adaptive length learns on the way and ends with the same number of tokens.
  @Test func anAdaptiveLengthIsReplayed() throws {
    let prompt = TinyModels.prompts(1)[0]
    let parameters = GenerationParameters(maximumTokens: 60, ignoresEnd: true)
    let runner = TinyModels.runner(threads: 1)
    let plain = try TinyModels.plain(prompt, parameters, runner: runner)
    let source = OracleSource(
      future: prompt + plain.ids, quality: .chance(0.9), maximumDrafts: 9,
      vocabulary: TinyModels.vocabulary)
    let replay = DraftReplay(runner: runner, source: source)
    try replay.load(.init(prompt: prompt, output: plain.ids))
    let start = AdaptiveDraftLength(CostModelTests.model)
    var length = DraftLength.adaptive(start)
    let rounds = replay.rounds(
      parameters: parameters, length: &length, choice: .argmax, cost: CostModelTests.model)
    #expect(rounds.reduce(0) { $0 + $1.emitted } == 60)
    #expect(rounds.contains { $0.drafted > 0 } && length != .adaptive(start))
    #expect(source.complaints.isEmpty)
    let cost = CostModelTests.model
    let expected = rounds.map {
      cost.verify($0.verified + 1) + ($0.drafted > 0 ? cost.draft($0.drafted) : 0)
    }.reduce(0, +)
    #expect(abs(cost.seconds(of: rounds) - expected) < 1e-12)
  }
}
