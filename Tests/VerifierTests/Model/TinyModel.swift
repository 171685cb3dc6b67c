import Files
import Verifier

/// The sizes of a small model, changed by `change`.
func tinyModel(_ change: (inout ModelConfiguration) -> Void) -> ModelConfiguration {
  var configuration = ModelConfiguration(
    family: .llama, vocabularySize: 61, hiddenSize: 24, intermediateSize: 40, layerCount: 3,
    headCount: 4, keyValueHeadCount: 2, headDimension: 8, tiesEmbeddings: true,
    maximumContext: 1024)
  change(&configuration)
  return configuration
}

/// Repeatable tokens.
func randomTokens(_ count: Int, below limit: Int, seed: UInt64) -> [Token] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Token((state >> 33) % UInt64(limit))
  }
}
