import Drafter
import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Keeps what it is told.
private final class Recorder: RoundObserver {
  private(set) var rounds: [RoundRecord] = []
  func observe(_ round: RoundRecord) { rounds.append(round) }
}

/// Rounds as an observer sees them.
@Suite struct RoundObserverTests {
  private let context = TinyModels.configuration.maximumContext

  /// Softmax of the target's logits after `text`, computed plainly.
  private func distribution(_ text: [Token], temperature: Float = 1) throws -> [Double] {
    let runner = TinyModels.runner(threads: 1)
    let cache = try runner.makeCache(capacity: context)
    runner.read(text, into: cache, logits: .last)
    let row = (0..<TinyModels.vocabulary).map { Double(runner.logits[$0] / temperature) }
    let top = row.max() ?? 0
    let weights = row.map { exp($0 - top) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  private func expectConsistent(
    _ rounds: [RoundRecord], prompt: [Token], ids: [Token], statistics: GenerationStatistics
  ) {
    #expect(rounds.flatMap(\.tokens) == ids)
    var position = prompt.count
    var sum = GenerationStatistics()
    for (index, round) in rounds.enumerated() {
      #expect(round.position == position)
      position += round.tokens.count
      #expect(round.probabilities.count == round.tokens.count)
      #expect(round.rows == round.drafts.count + 1)
      #expect(
        Array(round.tokens.prefix(round.accepted)) == Array(round.drafts.prefix(round.accepted)))
      #expect((round.origin == nil) == (round.drafted == 0))
      let rejected = round.accepted < round.drafts.count && round.tokens.count > round.accepted
      #expect((round.rejection != nil) == rejected)
      sum.countRound(
        drafted: round.drafted, verified: round.drafts.count, accepted: round.accepted,
        emitted: round.tokens.count, ended: index == rounds.count - 1)
      sum.draftSeconds += round.seconds.draft
      sum.verifySeconds += round.seconds.verify
      sum.samplingSeconds += round.seconds.sampling
      sum.decodeSeconds += round.seconds.total
    }
    #expect(abs(sum.decodeSeconds - statistics.decodeSeconds) < 1e-9)
    var (one, other) = (sum, statistics)
    for keyPath in [
      \GenerationStatistics.prefillSeconds, \.draftSeconds, \.verifySeconds, \.samplingSeconds,
      \.decodeSeconds,
    ] {
      one[keyPath: keyPath] = 0
      other[keyPath: keyPath] = 0
    }
    other.generations = 0
    other.promptTokens = 0
    #expect(one == other)
  }

  /// Probabilities and candidates are those of the distributions that the models have, and telling
  /// changes no token.
  @Test(arguments: [0, 1] as [Float]) func aDraftersRoundsAreTold(_ temperature: Float) throws {
    let drafter = TinyModels.drafter(blockSize: 8)
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    let source = try BlockDraftSource(
      drafter: drafter, target: TinyModels.target, workers: Workers(count: 1), capacity: context)
    var rejections = 0
    for (index, prompt) in TinyModels.prompts(6).enumerated() {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: temperature, seed: UInt64(index)),
        maximumTokens: 40)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
        parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(7)))
      let recorder = Recorder()
      decoder.observer = recorder
      #expect(Array(decoder) == plain.ids)
      expectConsistent(
        recorder.rounds, prompt: prompt, ids: plain.ids, statistics: decoder.statistics)
      for round in recorder.rounds.prefix(8) {
        for (place, token) in round.tokens.enumerated() {
          let text = (prompt + plain.ids).prefix(round.position + place)
          let expected = try distribution(Array(text))
          #expect(abs(Double(round.probabilities[place]) - expected[Int(token)]) < 1e-5)
          guard place == round.accepted, let rejection = round.rejection else { continue }
          rejections += 1
          let order = expected.indices.sorted { (expected[$0], $1) > (expected[$1], $0) }
          #expect(rejection.target.map(\.token) == order.prefix(5).map { Token($0) })
          for candidate in rejection.target {
            #expect(abs(Double(candidate.probability) - expected[Int(candidate.token)]) < 1e-5)
          }
          let draft = round.drafts[round.accepted]
          #expect(abs(Double(rejection.probability) - expected[Int(draft)]) < 1e-5)
          #expect(rejection.draft.count == 5)
          if temperature == 0 {
            #expect(rejection.draft.first?.token == draft)
            #expect(rejection.draft.first?.probability == round.confidences[round.accepted])
          }
          #expect(
            rejection.draft.map(\.probability) == rejection.draft.map(\.probability).sorted(by: >))
        }
      }
    }
    #expect(rejections > 20)
  }

  /// A source without probabilities, plain decoding, and every accepted length.
  @Test func roundsWithoutProbabilitiesAreTold() throws {
    let runner = TinyModels.runner(threads: 1)
    for (index, prompt) in TinyModels.prompts(12).enumerated() {
      let parameters = GenerationParameters(maximumTokens: 40)
      let recorder = Recorder()
      let plain = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
        parameters: parameters)
      plain.observer = recorder
      let ids = Array(plain)
      expectConsistent(recorder.rounds, prompt: prompt, ids: ids, statistics: plain.statistics)
      let source = OracleSource(
        future: prompt + ids, quality: .cycling(start: index), maximumDrafts: 9,
        vocabulary: TinyModels.vocabulary)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
        parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(9)))
      let observer = Recorder()
      decoder.observer = observer
      #expect(Array(decoder) == ids)
      expectConsistent(observer.rounds, prompt: prompt, ids: ids, statistics: decoder.statistics)
      #expect(observer.rounds.allSatisfy { $0.confidences.isEmpty })
      #expect(observer.rounds.compactMap(\.rejection).allSatisfy { $0.draft.isEmpty })
    }
  }
}
