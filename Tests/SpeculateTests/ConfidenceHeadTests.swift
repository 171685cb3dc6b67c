import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// A drafter's confidence head changes how many drafts are verified, and nothing else.
@Suite struct ConfidenceHeadTests {
  private final class Confidences: RoundObserver {
    var rounds: [RoundRecord] = []
    func observe(_ round: RoundRecord) { rounds.append(round) }
  }

  /// The same weights with and without the head.
  private static func drafter(hasHead: Bool) -> BlockDrafter {
    var configuration = TinyModels.drafter(blockSize: 6).configuration
    configuration.heads = DrafterHeads(
      MarkovHeadConfiguration(rank: 5), hasHead ? ConfidenceHeadConfiguration() : nil)
    return BlockDrafter(random: configuration, seed: 2)
  }

  private func generate(
    _ drafter: BlockDrafter, _ prompt: [Token], length: DraftLength, temperature: Float = 0
  ) throws -> (ids: [Token], rounds: [RoundRecord]) {
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    let context = TinyModels.configuration.maximumContext
    let decoder = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
      parameters: GenerationParameters(
        sampling: SamplingParameters(temperature: temperature, seed: 3), maximumTokens: 60,
        ignoresEnd: true),
      strategy: DraftStrategy(
        source: BlockDraftSource(
          drafter: drafter, target: TinyModels.target, workers: Workers(count: 1), capacity: context
        ), length: length))
    let observer = Confidences()
    decoder.observer = observer
    return (Array(decoder), observer.rounds)
  }

  @Test func itsConfidencesReplaceTheDraftsOwn() throws {
    var seen: Set<Float> = []
    for prompt in TinyModels.prompts(4) {
      let with = try generate(Self.drafter(hasHead: true), prompt, length: .fixed(5))
      let without = try generate(Self.drafter(hasHead: false), prompt, length: .fixed(5))
      #expect(with.ids == without.ids && with.rounds.count == without.rounds.count)
      for (one, other) in zip(with.rounds, without.rounds) {
        #expect(one.drafts == other.drafts && one.accepted == other.accepted)
        #expect(one.confidences.count == one.drafts.count)
        #expect(one.confidences.isEmpty || one.confidences != other.confidences)
        seen.formUnion(one.confidences.compactMap { $0 })
      }
    }
    #expect(seen.count > 50 && seen.allSatisfy { $0 > 0 && $0 < 1 })
  }

  /// Whatever it says of drafts, the target alone decides.
  @Test(arguments: [0, 1] as [Float]) func outputIsPlain(temperature: Float) throws {
    let cost = CostModel(
      verify: PassTimes([(1, 1), (2, 1.05), (32, 2.5)]), draft: PassTimes([(1, 0.1), (8, 0.15)]))
    var widths: [Bool: Set<Int>] = [:]
    for prompt in TinyModels.prompts(20) {
      let plain = try TinyModels.plain(
        prompt,
        GenerationParameters(
          sampling: SamplingParameters(temperature: temperature, seed: 3), maximumTokens: 60,
          ignoresEnd: true), runner: TinyModels.runner(threads: 1))
      for hasHead in [false, true] {
        let output = try generate(
          Self.drafter(hasHead: hasHead), prompt, length: .adaptive(AdaptiveDraftLength(cost)),
          temperature: temperature)
        #expect(output.ids == plain.ids)
        widths[hasHead, default: []].formUnion(output.rounds.map(\.rows))
      }
    }
    #expect((widths[true]?.count ?? 0) > 2)
  }
}
