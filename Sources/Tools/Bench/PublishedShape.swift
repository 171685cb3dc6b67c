import ArgumentParser
import Tensors
import Verifier

/// Sizes of published models, so that speed can be measured without their weights.
///
/// From the `config.json` of Qwen/Qwen2.5-0.5B, Qwen/Qwen3-0.6B, Qwen/Qwen3-1.7B, Qwen/Qwen3-4B,
/// Qwen/Qwen3-30B-A3B, allenai/OLMoE-1B-7B-0924, openai-community/gpt2 and EleutherAI/pythia-410m on the
/// Hugging Face hub.
enum PublishedShape: String, CaseIterable, ExpressibleByArgument {
  case qwen25of500M = "qwen2.5-0.5b"
  case qwen3of600M = "qwen3-0.6b"
  case qwen3of1700M = "qwen3-1.7b"
  case qwen3of4B = "qwen3-4b"
  case qwen3of30B = "qwen3-30b-a3b"
  case olmoeOf7B = "olmoe-1b-7b"
  case gpt2 = "gpt2"
  case pythiaOf410M = "pythia-410m"

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
    case .qwen3of30B:
      Self.mixture(
        ModelConfiguration(
          family: .qwen3MoE, vocabularySize: 151_936, hiddenSize: 2048, intermediateSize: 6144,
          layerCount: 48, headCount: 32, keyValueHeadCount: 4, headDimension: 128,
          ropeTheta: 1_000_000, maximumContext: 40_960),
        ExpertOptions(count: 128, chosen: 8, intermediate: 768, weighting: .ofAllNormalized))
    case .olmoeOf7B:
      Self.mixture(
        ModelConfiguration(
          family: .olmoe, vocabularySize: 50_304, hiddenSize: 2048, intermediateSize: 1024,
          layerCount: 16, headCount: 16, maximumContext: 4096),
        ExpertOptions(count: 64, chosen: 8, intermediate: 1024, weighting: .ofAll))
    case .gpt2:
      ModelConfiguration(
        family: .gpt2, vocabularySize: 50_257, hiddenSize: 768, intermediateSize: 3072,
        layerCount: 12, headCount: 12, normEpsilon: 1e-5, tiesEmbeddings: true,
        maximumContext: 1024, mlpBias: true)
    case .pythiaOf410M:
      ModelConfiguration(
        family: .gptNeoX, vocabularySize: 50_304, hiddenSize: 1024, intermediateSize: 4096,
        layerCount: 24, headCount: 16, normEpsilon: 1e-5, maximumContext: 2048,
        attentionBias: true, mlpBias: true)
    }
  }

  private static func mixture(
    _ dense: ModelConfiguration, _ options: ExpertOptions
  ) -> ModelConfiguration {
    var model = dense
    model.experts = ExpertSettings(options)
    return model
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
