import ArgumentParser
import Verifier

/// Sizes of published models, so that speed can be measured without their weights.
///
/// From the `config.json` of Qwen/Qwen2.5-0.5B, Qwen/Qwen3-0.6B, Qwen/Qwen3-1.7B and Qwen/Qwen3-4B on
/// the Hugging Face hub.
enum PublishedShape: String, CaseIterable, ExpressibleByArgument {
  case qwen25of500M = "qwen2.5-0.5b"
  case qwen3of600M = "qwen3-0.6b"
  case qwen3of1700M = "qwen3-1.7b"
  case qwen3of4B = "qwen3-4b"

  var configuration: ModelConfiguration {
    switch self {
    case .qwen25of500M:
      ModelConfiguration(
        family: .qwen2, vocabularySize: 151_936, hiddenSize: 896, intermediateSize: 4864,
        layerCount: 24, headCount: 14, keyValueHeadCount: 2, headDimension: 64,
        ropeTheta: 1_000_000, tiesEmbeddings: true, maximumContext: 32_768)
    case .qwen3of600M:
      Self.qwen3(hidden: 1024, intermediate: 3072, layers: 28, heads: 16)
    case .qwen3of1700M:
      Self.qwen3(hidden: 2048, intermediate: 6144, layers: 28, heads: 16)
    case .qwen3of4B:
      Self.qwen3(hidden: 2560, intermediate: 9728, layers: 36, heads: 32)
    }
  }

  private static func qwen3(
    hidden: Int, intermediate: Int, layers: Int, heads: Int
  ) -> ModelConfiguration {
    ModelConfiguration(
      family: .qwen3, vocabularySize: 151_936, hiddenSize: hidden, intermediateSize: intermediate,
      layerCount: layers, headCount: heads, keyValueHeadCount: 8, headDimension: 128,
      ropeTheta: 1_000_000, tiesEmbeddings: true, maximumContext: 40_960)
  }
}
