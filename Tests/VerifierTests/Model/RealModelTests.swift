import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// A published model against ids that other engines agree on (../shared/data).
@Suite struct RealModelTests {
  static let model = TestFiles.data("models/tinystories-656k")
  static let reference = TestFiles.data("reference/tinystories-656k.json")

  /// One prompt of the reference file.
  struct Continuation: Decodable {
    let promptIDs: [Token]
    /// The prompt and what follows it.
    let greedyIDs: [Token]
    /// Pairs of an id and its logit after the prompt's last token.
    let lastLogits: [[Float]]

    enum CodingKeys: String, CodingKey {
      case promptIDs = "prompt_ids"
      case greedyIDs = "greedy_ids"
      case lastLogits = "last_logits_top8"
    }
  }

  @Test(
    .enabled(
      if: TestFiles.exist(model, reference), "../shared/data/models/tinystories-656k is absent"))
  func tinyStoriesContinuesAsElsewhere() throws {
    let continuations = try JSONDecoder().decode(
      [Continuation].self, from: Data(contentsOf: Self.reference))
    try #require(!continuations.isEmpty)
    let model = try CausalModel(directory: Self.model)
    let runner = CausalRunner(
      model: model, workers: Workers(count: Workers.defaultCount), maximumRows: 16)
    for expected in continuations {
      let count = expected.greedyIDs.count - expected.promptIDs.count
      try #require(count >= 120)
      let cache = try runner.makeCache(capacity: expected.greedyIDs.count)
      runner.read(expected.promptIDs, into: cache, logits: .last)
      for pair in expected.lastLogits {
        #expect(abs(runner.logits[Int(pair[0])] - pair[1]) < 1e-3, "logit of id \(Int(pair[0]))")
      }
      cache.reset()
      #expect(
        expected.promptIDs + greedy(runner, cache, after: expected.promptIDs, count: count)
          == expected.greedyIDs)
    }
  }
}
