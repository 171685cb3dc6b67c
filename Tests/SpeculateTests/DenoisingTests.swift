import Files
import Drafter
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// However many passes a block takes, the target alone decides.
@Suite struct DenoisingTests {
  /// The surer half of the drafts first, then the rest.
  private struct HalfThenRest: DenoisingPolicy {
    func next(_ block: DenoisedBlock) -> DenoisingStep {
      guard block.passes == 1 else { return .done }
      let order = block.drafts.indices.sorted { block.certainty(of: $0) > block.certainty(of: $1) }
      return .fix(Array(order.prefix((order.count + 1) / 2)))
    }
  }

  private static func source(
    _ policy: any DenoisingPolicy, blockSize: Int = 6, kind: DrafterKind
  ) throws -> BlockDraftSource {
    let source = try BlockDraftSource(
      drafter: TinyModels.drafter(blockSize: blockSize, kind: kind), target: TinyModels.target,
      workers: Workers(count: 1), capacity: TinyModels.configuration.maximumContext)
    source.policy = policy
    return source
  }

  @Test(arguments: DrafterKind.allCases, [0, 1] as [Float])
  func `output is plain, whatever the policy`(kind: DrafterKind, temperature: Float) throws {
    var drafts: [[[Token]]] = [[], []]
    for prompt in TinyModels.prompts(8) {
      let parameters = GenerationParameters(
        sampling: SamplingParameters(temperature: temperature, repetitionPenalty: 1.1, seed: 3),
        maximumTokens: 60, ignoresEnd: true)
      let plain = try TinyModels.plain(
        prompt, parameters, runner: TinyModels.runner(threads: 1))
      for (index, policy) in ([SinglePass(), HalfThenRest()] as [any DenoisingPolicy]).enumerated()
      {
        let source = try Self.source(policy, kind: kind)
        let runner = TinyModels.runner(threads: 1, taps: source.taps)
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
          parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(5)))
        let observer = Rounds()
        decoder.observer = observer
        #expect(Array(decoder) == plain.ids)
        drafts[index] += observer.rounds.map(\.drafts)
        // A block of one draft takes one pass whatever the policy.
        let passes = observer.rounds.reduce(0) {
          $0 + ($1.passDrafts > 1 ? index + 1 : $1.passDrafts)
        }
        #expect(decoder.statistics.draftPasses == passes)
      }
    }
    // The policy has a say in what is drafted.
    #expect(drafts[0].count > 50 && drafts[0] != drafts[1])
  }

  private final class Rounds: RoundObserver {
    var rounds: [RoundRecord] = []
    func observe(_ round: RoundRecord) { rounds.append(round) }
  }

  @Test func `a block says how many passes it took`() throws {
    for (policy, passes) in [(SinglePass(), 1), (HalfThenRest(), 2)]
      as [(any DenoisingPolicy, Int)]
    {
      let source = try Self.source(policy, blockSize: 5, kind: .tokens)
      for (tokens, count, expected) in [([1, 2, 3], 4, passes), ([1, 2, 3, 4], 1, 1)]
        as [([Token], Int, Int)]
      {
        let request = DraftRequest(
          chooser: DraftChooser(
            .greedy, choice: .argmax, context: TokenPresence(vocabulary: TinyModels.vocabulary)))
        (request.tokens, request.count) = (tokens, count)
        source.enter(request)
        source.runPasses()
        let block = request.block
        #expect(block.passes == expected && block.tokens.count == count)
        #expect(block.confidences.allSatisfy { $0 > 0 && $0 <= 1 })
      }
    }
  }
}
