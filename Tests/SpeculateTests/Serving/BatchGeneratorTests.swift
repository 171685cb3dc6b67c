import Files
import Speculate
import TestSupport
import Testing
import Text

/// Answers of many requests together are those of each alone, to the bit.
@Suite(.serialized) struct BatchGeneratorTests {
  @Test func answersEqualEachAlone() async throws {
    for setting in BatchCase.settings {
      let generator = try setting.generator()
      let alone = try setting.textGenerator()
      let cases = BatchCase.mix(24, seed: 3)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for one in cases {
          group.addTask { try await one.check(generator, against: alone) }
        }
        try await group.waitForAll()
      }
      await generator.drain()
      let metrics = generator.metrics
      #expect(metrics.running == 0 && metrics.waiting == 0 && metrics.failed == 0)
      #expect(metrics.acceptedTokens <= metrics.draftTokens)
      #expect(!generator.isOpen)
      #expect(throws: SubmissionError.draining) { try generator.submit(cases[0].request) }
    }
  }
}
