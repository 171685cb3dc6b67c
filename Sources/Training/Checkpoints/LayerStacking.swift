import Tensors

/// Grows a trained shallow model into a deeper one by repeating its layers.
///
/// The whole stack is repeated, layer i of the deep model being layer i mod k of the shallow one:
/// "G_stack" of Du et al., "Stacking Your Transformers" (arXiv 2405.15319), who found it the best of
/// four ways to grow and no worse than training the deep model from the start.
enum LayerStacking {
  /// Reads every tensor of `deep` from the tensor of the shallow run it repeats.
  static func copy(
    from shallow: TrainingCheckpoint<PretrainHeader>, to deep: CausalTrainingModel
  ) throws {
    for entry in deep.layout.entries {
      let name = sourceName(of: entry.name, layers: shallow.header.architecture.layerCount)
      try shallow.copy(name, shape: entry.shape, to: deep.parameters.base + entry.offset)
    }
  }

  /// `model.layers.8.x` becomes `model.layers.2.x` for 6 layers; other names stay.
  static func sourceName(of name: String, layers: Int) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 2, parts[1] == "layers", let index = Int(parts[2]) else { return name }
    parts[2] = String(index % layers)
    return parts.joined(separator: ".")
  }
}
