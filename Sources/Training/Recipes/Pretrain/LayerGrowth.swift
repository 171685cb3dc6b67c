import Tensors

/// How a trained shallow model becomes a deeper one.
package enum LayerGrowth: String, Sendable, CaseIterable {
  /// The whole stack again: layer i of the deep model is layer i mod k of the shallow one. The loss
  /// jumps and training makes up for it.
  ///
  /// "G_stack" of Du et al., "Stacking Your Transformers" (arXiv 2405.15319), who found it the best
  /// of four ways to grow and no worse than training the deep model from the start.
  case stack
  /// New layers spread evenly among the old: copies of the layer before them whose two output
  /// matrices are zero, so that the model computes what it did and the loss goes on from there.
  ///
  /// The block expansion of Wu et al., "LLaMA Pro" (arXiv 2401.02415), for when little
  /// training follows.
  case insert

  /// Reads every tensor of `deep` from the tensor of the shallow model that it continues.
  func copy(from shallow: InitialModel, to deep: CausalTrainingModel) throws {
    let architectures = (shallow.architecture, deep.architecture)
    let origins = origins(shallow: architectures.0.layerCount, deep: architectures.1.layerCount)
    var sources: [String: (name: String, isZero: Bool)] = [:]
    for (index, origin) in origins.enumerated() {
      let source = architectures.0.layout(ofLayer: origin.layer)
      for (role, tensor) in architectures.1.layout(ofLayer: index).tensors {
        sources[tensor.name] = source[role].map {
          ($0.name, origin.isNew && Self.outputs.contains(role))
        }
      }
    }
    for entry in deep.layout.entries {
      let values = deep.parameters.base + entry.offset
      let source = sources[entry.name] ?? (entry.name, false)
      if source.isZero {
        values.update(repeating: 0, count: entry.count)
      } else {
        try shallow.copy(source.name, shape: entry.shape, to: values)
      }
    }
  }

  /// What each layer of the deep model starts from, and whether it starts as the identity.
  package func origins(shallow: Int, deep: Int) -> [(layer: Int, isNew: Bool)] {
    switch self {
    case .stack: (0..<deep).map { (layer: $0 % shallow, isNew: false) }
    case .insert:
      (0..<shallow).flatMap { layer in
        // This layer and its copies take an even share of the deep model.
        let share = (layer + 1) * deep / shallow - layer * deep / shallow
        return (0..<share).map { (layer: layer, isNew: $0 > 0) }
      }
    }
  }

  /// The matrices through which a layer adds to the residual stream.
  private static let outputs: Set<LayerTensor> = [.output, .down]
}
