import Tensors

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
