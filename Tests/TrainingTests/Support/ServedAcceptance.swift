import Drafter
import Speculate
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// Lets `DraftStrategy` make responses again, greedily and with full blocks.
enum ServedAcceptance {
  /// The statistics of generations asked for as many tokens as the responses have.
  static func statistics(
    target: CausalModel, drafter: BlockDrafter, responses: [Response]
  ) throws -> GenerationStatistics {
    let workers = Workers(count: 1)
    let capacity = target.configuration.maximumContext
    let runner = CausalRunner(
      model: target, workers: workers, maximumRows: 32, taps: drafter.configuration.targetLayers)
    let source = try BlockDraftSource(
      drafter: drafter, target: target, workers: workers, capacity: capacity)
    var sum = GenerationStatistics()
    for response in responses {
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: capacity),
        prompt: Array(response.tokens[..<response.promptLength]),
        parameters: GenerationParameters(maximumTokens: response.continuation.count),
        strategy: DraftStrategy(source: source, length: .fixed(drafter.configuration.blockSize - 1))
      )
      #expect(Array(decoder) == Array(response.continuation))
      sum += decoder.statistics
    }
    return sum
  }

  /// Checks that a simulated acceptance has the counts of serving.
  static func expect(_ simulated: HeldoutAcceptance, equals served: GenerationStatistics) {
    #expect(simulated.rounds == served.targetPasses)
    #expect(simulated.emitted == served.emittedTokens)
    #expect(simulated.acceptanceLength == served.tau)
    #expect(simulated.drafted[0] == served.plainRounds)
    let drafted = simulated.drafted.enumerated().reduce(0) { $0 + $1.offset * $1.element }
    #expect(drafted == served.draftedTokens)
    #expect(padded(served.acceptanceHistogram, simulated.histogram.count) == simulated.histogram)
  }

  private static func padded(_ counts: [Int], _ size: Int) -> [Int] {
    counts + [Int](repeating: 0, count: max(0, size - counts.count))
  }
}
