import Drafter
import Files
package import Foundation
import Tensors
import Verifier

package enum DrafterInitialization: Sendable, Equatable {
  case random
  /// The target's last layers, with fused features that start as the last tap; for a drafter that sees
  /// tokens its first layers, which make something of tokens, and its embedding if it has one.
  case target
  /// The values of a drafter of the same sizes, with its draft vocabulary.
  case drafter(URL)
  /// For a drafter that sees tokens: the embedding, the first layers and the last norm of a causal model with
  /// the target's vocabulary, from predicting a token to predicting blocks (NBDiff, arXiv 2512.06776).
  case model(URL)
}

/// Copies a drafter's first values from its target or from another drafter.
enum DrafterInitializer {
  /// Whether the target's layers have the shape of the drafter's.
  ///
  /// Queries and keys of the target may lack norms; the drafter's then start with weights of 1.
  static func fits(_ target: ModelConfiguration, _ drafter: DrafterConfiguration) -> Bool {
    let (design, own) = (target.design(ofLayer: 0), drafter.design(ofLayer: 0))
    return target.layerShape == drafter.shape && target.layerCount >= drafter.layerCount
      && design.norm == own.norm && design.attention.headNorm == own.attention.headNorm
      && design.feedForward.activation == own.feedForward.activation
      && drafter.layout(ofLayer: 0).matches(
        target.layout(ofLayer: 0), but: [.queryNorm, .keyNorm])
  }

  /// Overwrites layers and norms with the target's, and `fc` or the embedding.
  ///
  /// For a drafter that sees tokens these are the first layers. Of a conditioned one's features the last
  /// layers know how to make rows that the head understands, and their key and value
  /// projections expect the residual stream of a late layer, normed: so `fc` starts as a selection of
  /// the last tap and `hidden_norm` as the first copied layer's input norm.
  static func copy(
    from weights: ModelWeights, _ target: ModelConfiguration, to model: DrafterTrainingModel
  ) throws {
    let first = model.fusion == nil ? 0 : target.layerCount - model.configuration.layerCount
    let sources = sources(target, model.configuration, first: first)
    for entry in model.layout.entries {
      let destination = model.parameters.base + entry.offset
      guard let source = sources[entry.name] else { continue }
      let values = try weights.values(source)
      destination.update(from: values.base, count: entry.count)
    }
    guard let fusion = model.fusion else { return }
    let (hidden, columns) = (model.hidden, fusion.matrix.inputs)
    let fuse = model.parameters.base + fusion.matrix.offset
    for index in 0..<hidden * columns { fuse[index] *= 0.1 }
    for row in 0..<hidden { fuse[row * columns + columns - hidden + row] += 1 }
  }

  /// Says whether a drafter can start as `initialization` wants.
  static func check(
    _ initialization: DrafterInitialization?, _ target: ModelConfiguration,
    _ drafter: DrafterConfiguration
  ) throws {
    switch initialization {
    case .target where !fits(target, drafter):
      throw SpeculateError(
        "the drafter can't start as layers of the target, whose shape differs: give ‘init’ random")
    case .drafter(let folder): _ = try configuration(ofDrafter: folder, for: drafter)
    case .model(let folder):
      guard try fits(ModelConfiguration(directory: folder), drafter) else {
        throw SpeculateError(
          "the drafter can't start as layers of the model in \(folder.path): it has fewer, or of another "
            + "architecture than drafters have")
      }
    default: return
    }
  }

  /// The sizes of a drafter whose values another begins with.
  private static func configuration(
    ofDrafter folder: URL, for own: DrafterConfiguration
  ) throws -> DrafterConfiguration {
    let other = try DrafterConfiguration(directory: folder)
    guard other.kind == own.kind, other.ownsEmbedding == own.ownsEmbedding,
      other.shape == own.shape, other.layerCount == own.layerCount,
      other.targetLayers == own.targetLayers, other.vocabularySize == own.vocabularySize,
      other.samplesAnchor == own.samplesAnchor, other.isCausal == own.isCausal,
      other.reaches == own.reaches, other.convolution == own.convolution,
      other.factors == own.factors
    else {
      throw SpeculateError(
        "the drafter in \(folder.path) is of another kind, or has other layers or target layers: give "
          + "its sizes, or ‘init’ random")
    }
    for head in other.heads.list where !own.heads.list.contains(where: head.equals) {
      throw SpeculateError(
        "the drafter in \(folder.path) has a \(type(of: head).name), which would be lost: train one of "
          + "the same size too, or ‘init’ random")
    }
    return other
  }

  /// Overwrites all values with another drafter's. Heads that it lacks keep theirs.
  static func copy(fromDrafter folder: URL, to model: DrafterTrainingModel) throws {
    let own = model.configuration
    let other = try configuration(ofDrafter: folder, for: own)
    let new = own.placedHeads.filter { head, _ in !other.heads.list.contains(where: head.equals) }
    let kept = Set(new.flatMap { head, place in head.tensors(place).map(\.name) })
    let checkpoint = try Checkpoint(directory: folder)
    for entry in model.layout.entries where !kept.contains(entry.name) {
      let values = try checkpoint.floats(entry.name, shape: entry.shape)
      (model.parameters.base + entry.offset).update(from: values.base, count: entry.count)
    }
  }

  /// The target's tensors that drafters begin with, by the drafter's names.
  static func sources(
    _ target: ModelConfiguration, _ drafter: DrafterConfiguration, first: Int
  ) -> [String: NamedShape] {
    let layout = drafter.layout
    var sources: [String: NamedShape] = [:]
    sources[layout.finalNorm.name] = target.finalNorm.weight
    if let embedding = layout.embedding {
      sources[embedding.name] = NamedShape(target.family.tensors.embedding, embedding.shape)
    }
    if let fusion = layout.fusion {
      sources[fusion.norm.name] = target.layout(ofLayer: first)[.mixerNorm]
    }
    for layer in 0..<drafter.layerCount {
      let source = target.layout(ofLayer: first + layer)
      for (role, tensor) in drafter.layout(ofLayer: layer).tensors {
        sources[tensor.name] = source[role]
      }
    }
    return sources
  }
}
