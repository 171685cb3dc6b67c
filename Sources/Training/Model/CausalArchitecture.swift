package import Files
import Tensors
package import Verifier

/// The shape of a causal model of the Qwen3 family that can be trained here.
package struct CausalArchitecture: Sendable, Equatable, Codable {
  /// Rows of the embedding, which is also the head.
  package var vocabularySize = 8192
  package var hiddenSize = 384
  package var intermediateSize = 1088
  package var layerCount = 12
  package var headCount = 6
  package var keyValueHeadCount = 2  // divides `headCount`
  package var headDimension = 64
  package var ropeTheta = 10_000.0
  package var normEpsilon: Float = 1e-6
  package var maximumContext = 2048

  /// The planned embedded target: deep and thin, 23 M parameters.
  package init() {}

  /// Says what is wrong with the shape, or nil.
  package var complaint: String? {
    let sizes = [
      ("vocabulary", vocabularySize), ("hidden", hiddenSize), ("intermediate", intermediateSize),
      ("layers", layerCount), ("heads", headCount), ("kv-heads", keyValueHeadCount),
      ("head-dim", headDimension), ("context", maximumContext),
    ]
    for (name, value) in sizes where value < 1 || value > 1 << 20 {
      return "\(name) is \(value): give a number from 1 to \(1 << 20)"
    }
    if headCount % keyValueHeadCount != 0 {
      return "\(headCount) heads can't share \(keyValueHeadCount) key/value heads evenly: "
        + "give a divisor of the number of heads"
    }
    if headDimension % 2 != 0 { return "head-dim is \(headDimension): give an even number" }
    return nil
  }
}

extension CausalArchitecture {
  /// The configuration of an exported model.
  /// Begin and end tokens are SentencePiece's usual ones unless given.
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

extension CausalArchitecture {
  /// The architecture of a model that exists, to go on training it.
  package init(_ configuration: ModelConfiguration, name: String) throws {
    let layers = (0..<configuration.layerCount).lazy.flatMap {
      configuration.design(ofLayer: $0).untrainable
    }
    let others: [(Bool, String)] = [
      (!configuration.tiesEmbeddings, "a head of its own"),
      (configuration.quantization != nil, "integer weights"),
      (configuration.positions != nil, "learned positions"),
      (configuration.headBias != nil, "a bias of the head"),
      (configuration.embeddingScale != 1, "scaled embeddings"),
      (configuration.changesLogits, "scaled or capped logits"),
    ]
    let obstacle = layers.first ?? others.first(where: \.0)?.1
    if let obstacle {
      throw SpeculateError(
        "\(name) has \(obstacle), which can't be trained here: give a Qwen3 model with a tied head, no "
          + "biases, full attention, plain rotary angles and float weights")
    }
    self.init()
    vocabularySize = configuration.vocabularySize
    hiddenSize = configuration.hiddenSize
    intermediateSize = configuration.intermediateSize
    layerCount = configuration.layerCount
    headCount = configuration.headCount
    keyValueHeadCount = configuration.keyValueHeadCount
    headDimension = configuration.headDimension
    ropeTheta = configuration.ropeTheta
    normEpsilon = configuration.normEpsilon
    maximumContext = configuration.maximumContext
  }
}

// What the matrix products of a training step take; nothing else is counted.
extension CausalArchitecture {
  /// Weights that every token is multiplied with: all matrices, the embedding as the tied head.
  /// Norms multiply too, but are no matrices.
  package var matrixWeightCount: Int {
    let layer = layout(ofLayer: 0).tensors.map(\.tensor.shape).filter { $0.count == 2 }
    return vocabularySize * hiddenSize + layerCount * layer.reduce(0) { $0 + $1[0] * $1[1] }
  }

  /// Operations of the products with weights in the training of some tokens: 6 a weight and token,
  /// for a multiplication and an addition in the forward pass, and the same twice backward, for the
  /// gradients of activations and of weights.
  package func weightOperations(tokens: Int) -> Double {
    6 * Double(matrixWeightCount) * Double(tokens)
  }

  /// Operations of attention's products in the training of some sequences: 12 a value of a head for
  /// every pair of a query and a key that it sees, in two products forward and four backward.
  ///
  /// The masked part of a tile is multiplied as well, but is no use, so it isn't counted.
  package func attentionOperations(sequences: Int, length: Int) -> Double {
    let pairs = Double(sequences) * Double(length) * Double(length + 1) / 2
    return 12 * pairs * Double(layerCount * headCount * headDimension)
  }
}
