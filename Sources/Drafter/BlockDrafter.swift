package import Files
package import Tensors

/// A block-diffusion drafter's weights: conditioned (arXiv 2602.06036; docs/algorithms.md 3.1) or seeing tokens
/// alone (arXiv 2512.15176; 3.2).
///
/// Immutable and shared between sequences; a pass runs in a `DrafterRunner`. It holds nothing of the
/// target: features come in as arguments, and so do embedding and head unless it has its own.
package final class BlockDrafter: Sendable {
  package let configuration: DrafterConfiguration

  package let format: WeightFormat

  /// The token that each index of the draft vocabulary stands for, ascending; nil for the whole
  /// vocabulary.
  package let draftVocabulary: [Token]?

  /// What makes context of the target's features; nil for a drafter that sees tokens alone.
  let fusion: FeatureFusion?
  /// Its own token rows; nil for a drafter that borrows its target's.
  let vocabulary: OwnVocabulary?
  let layers: [DecoderLayer]
  let finalNorm: Norm
  let heads: [any BlockHead]

  /// Takes the weights from a source.
  package init(
    _ c: DrafterConfiguration, format: WeightFormat, draftVocabulary: [Token]?,
    source: any WeightSource
  ) throws {
    let layout = c.layout
    configuration = c
    self.format = format
    self.draftVocabulary = draftVocabulary
    fusion = try layout.fusion.map {
      FeatureFusion(
        matrix: try source.matrix($0.matrix, format: format), norm: try source.values($0.norm))
    }
    vocabulary = try layout.embedding.map {
      try OwnVocabulary($0, format: format, draftVocabulary, source)
    }
    layers = try (0..<c.layerCount).map {
      try DecoderLayer(source, layout: c.layout(ofLayer: $0), format: format)
    }
    finalNorm = Norm(
      weight: try source.values(layout.finalNorm), epsilon: c.shape.normEpsilon)
    heads = try c.placedHeads.map { try $0.head.load(source, $0.place, format: format) }
  }
}

/// Target features as a conditioned drafter's layers take them: `RMSNorm(fc · features)`.
struct FeatureFusion: Sendable {
  let matrix: PackedMatrix  // [hidden][taps * hidden]: `fc`
  let norm: FloatBuffer  // [hidden]: `hidden_norm`
}

/// A drafter's own embedding, and the rows of it that are its head.
struct OwnVocabulary: Sendable {
  let embedding: TokenEmbedding  // [vocabulary][hidden]
  let head: PackedMatrix  // [choices][hidden]

  init(
    _ tensor: NamedShape, format: WeightFormat, _ draftVocabulary: [Token]?,
    _ source: any WeightSource
  ) throws {
    let whole = try source.matrix(tensor, format: format)
    embedding = try source.embedding(
      tensor.name, vocabularySize: whole.rows, width: whole.columns, format: format)
    head = draftVocabulary.map { whole.selecting(rows: $0.map(Int.init)) } ?? whole
  }
}
