package import Files
import Tensors
package import Verifier

extension CausalArchitecture {
  /// The configuration of an exported model.
  ///
  /// - Parameters:
  ///   - type: The type of its weights.
  ///   - beginToken: The tokenizer's; SentencePiece's usual one unless given.
  ///   - endTokens: The tokenizer's; SentencePiece's usual one unless given.
  package func configuration(
    type: ElementType, beginToken: Token? = 1, endTokens: [Token] = [2]
  ) -> ModelConfiguration {
    ModelConfiguration(
      family: Self.family, vocabularySize: vocabularySize, hiddenSize: hiddenSize,
      intermediateSize: intermediateSize, layerCount: layerCount, headCount: headCount,
      keyValueHeadCount: keyValueHeadCount, headDimension: headDimension, normEpsilon: normEpsilon,
      ropeTheta: ropeTheta, tiesEmbeddings: true, maximumContext: maximumContext,
      endTokens: endTokens, beginToken: beginToken, elementType: type)
  }

  /// The family that can be trained.
  static var family: ModelFamily { .qwen3 }

  /// What checkpoints call the tensors.
  static var tensors: TensorNames { family.tensors }

  /// The names and shapes of a layer's tensors.
  func layout(ofLayer index: Int) -> LayerLayout {
    configuration(type: .f32).layout(ofLayer: index)
  }
}
