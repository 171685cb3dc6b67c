import Drafter
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Keeps what it is told.
private final class RoundCollector: RoundObserver {
  private(set) var rounds: [RoundRecord] = []
  func observe(_ round: RoundRecord) { rounds.append(round) }
}

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
          let decoder = try Decoder(
            runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
            parameters: parameters,
            strategy: DraftStrategy(source: served, length: .fixed(count), choice: choice))
          let ids = Array(decoder)
          try replay.load(.init(prompt: prompt, output: ids))
          var length = DraftLength.fixed(count)
          let rounds = try replay.rounds(
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

  /// Drafts from earlier text, beside a drafter and alone: the trees are the decoder's own.
  @Test(arguments: [true, false]) func matchesInEarlierTextAreReplayed(_ hasDrafter: Bool) throws {
    let context = TinyModels.configuration.maximumContext
    let drafter = TinyModels.drafter(blockSize: 8)
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    func source() throws -> BlockDraftSource? {
      guard hasDrafter else { return nil }
      return try BlockDraftSource(
        drafter: drafter, target: TinyModels.target, workers: Workers(count: 1), capacity: context)
    }
    let served = try source()
    let replay = DraftReplay(runner: runner, source: try source())
    var accepted = 0
    var branched = 0
    for prompt in TinyModels.prompts(12) {
      let parameters = GenerationParameters(maximumTokens: 80, ignoresEnd: true)
      for count in [1, 4, 12] {
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt + prompt,
          parameters: parameters,
          strategy: DraftStrategy(
            source: served, length: .fixed(count), choice: .argmax,
            free: FreeDraftOptions(suffix: true)))
        let observer = RoundCollector()
        decoder.observer = observer
        let ids = Array(decoder)
        try replay.load(.init(prompt: prompt + prompt, output: ids))
        var length = DraftLength.fixed(count)
        let rounds = try replay.rounds(
          parameters: parameters, length: &length, choice: .argmax, suffix: true,
          cost: CostModelTests.model)
        let own = observer.rounds
        #expect(rounds.map(\.drafted) == own.map(\.passDrafts))
        #expect(rounds.map(\.verified) == own.map(\.drafts.count))
        #expect(rounds.map(\.accepted) == own.map(\.accepted))
        #expect(rounds.map(\.emitted) == own.map(\.tokens.count))
        accepted += own.reduce(0) { $0 + $1.accepted }
        branched += own.count { !$0.parents.isEmpty }
        for (index, round) in own.enumerated() where !round.drafts.isEmpty {
          // Each verified draft has a source, and only the drafter's have confidences.
          #expect(round.inconsistency == nil)
          for draft in round.drafts.indices {
            let isModel = round.origin(of: draft) == .drafter
            let confidence = round.confidences.isEmpty ? nil : round.confidences[draft]
            #expect(isModel == (confidence != nil), "round \(index)")
            #expect(hasDrafter || round.origin(of: draft) == .suffix)
          }
        }
      }
    }
    #expect(accepted > 40)
    #expect(!hasDrafter || branched > 0)
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
    let rounds = try replay.rounds(
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
