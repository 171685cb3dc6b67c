import Drafter
import Files
public import Foundation
import Tensors
import Verifier

/// How a drafter's first values are made.
public enum DrafterInitialization: Sendable, Equatable {
  /// Random matrices.
  case random
  /// The target's last layers, with fused features that start as the last tap; for a drafter that sees
  /// tokens its first layers, which make something of tokens, and its embedding if it has one.
  case target
  /// The values of a drafter of the same sizes, with its draft vocabulary.
  case drafter(URL)
}

/// Copies a drafter's first values from its target or from another drafter.
enum DrafterInitializer {
  /// Whether the target's layers have the shape of the drafter's.
  static func fits(_ target: ModelConfiguration, _ drafter: DrafterConfiguration) -> Bool {
    target.layerShape == drafter.shape && target.headNorms && !target.attentionBias
      && !target.outputBias && !target.mlpBias && target.layerCount >= drafter.layerCount
  }

  /// Overwrites layers and norms with the target's, and `fc` or the embedding.
  ///
  /// For a drafter that sees tokens these are the first layers. Of a conditioned one's features the last
  /// layers know how to make rows that the head understands, and their key and value
  /// projections expect the residual stream of a late layer, normed: so `fc` starts as a selection of
  /// the last tap and `hidden_norm` as the first copied layer's input norm.
  static func copy(
    from checkpoint: Checkpoint, _ target: ModelConfiguration, to model: DrafterTrainingModel
  ) throws {
    let first =
      model.fusion == nil ? 0 : target.layerCount - model.configuration.layerCount
    for entry in model.layout.entries {
      let destination = model.parameters.base + entry.offset
      guard let name = sourceName(of: entry.name, first: first) else { continue }
      let values = try checkpoint.floats(name, shape: entry.shape)
      destination.update(from: values.base, count: entry.count)
    }
    guard let fusion = model.fusion else { return }
    let (hidden, columns) = (model.hidden, fusion.matrix.inputs)
    let fuse = model.parameters.base + fusion.matrix.offset
    for index in 0..<hidden * columns { fuse[index] *= 0.1 }
    for row in 0..<hidden { fuse[row * columns + columns - hidden + row] += 1 }
  }

  /// Overwrites all values with another drafter's. Heads that it lacks keep theirs.
  ///
  /// - Throws: When its sizes are others.
  static func copy(fromDrafter folder: URL, to model: DrafterTrainingModel) throws {
    let (own, other) = (model.configuration, try DrafterConfiguration(directory: folder))
    guard other.kind == own.kind, other.ownsEmbedding == own.ownsEmbedding,
      other.shape == own.shape, other.layerCount == own.layerCount,
      other.targetLayers == own.targetLayers, other.vocabularySize == own.vocabularySize,
      other.markovRank == nil || other.markovRank == own.markovRank
    else {
      throw SpeculateError(
        "the drafter in \(folder.path) is of another kind, or has other layers or target layers, or "
          + "another Markov rank: give its sizes, or 'init' random")
    }
    guard own.hasConfidenceHead || !other.hasConfidenceHead else {
      throw SpeculateError(
        "the drafter in \(folder.path) has a confidence head, which would be lost: give 'confidence', "
          + "the factor that it goes on with")
    }
    let checkpoint = try Checkpoint(directory: folder)
    for entry in model.layout.entries {
      if other.markovRank == nil, entry.name.hasPrefix("markov_head.") { continue }
      if !other.hasConfidenceHead, entry.name.hasPrefix("confidence_head.") { continue }
      let values = try checkpoint.floats(entry.name, shape: entry.shape)
      (model.parameters.base + entry.offset).update(from: values.base, count: entry.count)
    }
  }

  /// The target's tensor for one of the drafter's, where there is one.
  static func sourceName(of name: String, first: Int) -> String? {
    if name == "norm.weight" { return "model.norm.weight" }
    if name == BlockDrafter.embeddingName { return CausalModel.embeddingName }
    if name == "hidden_norm.weight" { return "model.layers.\(first).input_layernorm.weight" }
    let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
    guard parts.count == 3, parts[0] == "layers", let index = Int(parts[1]) else { return nil }
    return "model.layers.\(first + index).\(parts[2])"
  }
}
