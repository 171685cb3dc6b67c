package import Files
package import Tensors

/// A block-diffusion drafter's weights: conditioned (arXiv 2602.06036; docs/algorithms.md 3.1) or seeing tokens
/// alone (arXiv 2512.15176; 3.2).
///
/// Immutable and shared between sequences; a pass runs in a `DrafterRunner`. It holds nothing of the
/// target: features come in as arguments, and so do embedding and head unless it has its own.
package final class BlockDrafter: Sendable {
  package let configuration: DrafterConfiguration
  /// The folder that it was loaded from; nil for random weights.
  package let path: String?
  /// What loading found that the user should know.
  package let notices: [Notice]

  package let format: WeightFormat

  /// The token that each index of the draft vocabulary stands for, ascending; nil for the whole
  /// vocabulary.
  package let draftVocabulary: [Token]?

  /// What makes context of the target's features; nil for a drafter that sees tokens alone.
  let fusion: FeatureFusion?
  /// Its own embedding, [vocabulary][hidden]; nil for a drafter that borrows its target's.
  let embedding: TokenEmbedding?
  /// Its own head, [choices][hidden]; nil for a drafter that borrows its target's.
  let head: PackedMatrix?
  let layers: [DecoderLayer]
  let finalNorm: Norm
  let heads: [any BlockHead]

  /// Takes the weights from a source.
  package init(
    _ c: DrafterConfiguration, format: WeightFormat, draftVocabulary: [Token]?,
    source: any WeightSource, path: String? = nil, notices: [Notice] = []
  ) throws {
    let layout = c.layout
    configuration = c
    self.path = path
    self.notices = notices
    self.format = format
    self.draftVocabulary = draftVocabulary
    fusion = try layout.fusion.map {
      FeatureFusion(
        matrix: try source.matrix($0.matrix, format: format), norm: try source.values($0.norm))
    }
    embedding = try layout.embedding.map {
      try source.embedding(
        $0.name, vocabularySize: $0.shape[0], width: $0.shape[1], format: format)
    }
    head = try Self.head(c, format, draftVocabulary, source)
    layers = try (0..<c.layerCount).map {
      try DecoderLayer(source, layout: c.layout(ofLayer: $0), format: format)
    }
    finalNorm = Norm(
      weight: try source.values(layout.finalNorm), epsilon: c.shape.normEpsilon)
    heads = try c.placedHeads.map { try $0.head.load(source, $0.place, format: format) }
  }

  /// The drafter's own head: a tensor, or else, for one that reads no features, its embedding's rows.
  private static func head(
    _ c: DrafterConfiguration, _ format: WeightFormat, _ draftVocabulary: [Token]?,
    _ source: any WeightSource
  ) throws -> PackedMatrix? {
    if let head = c.layout.head { return try source.matrix(head, format: format) }
    guard !c.kind.readsFeatures, let embedding = c.layout.embedding else { return nil }
    let whole = try source.matrix(embedding, format: format)
    return draftVocabulary.map { whole.selecting(rows: $0.map(Int.init)) } ?? whole
  }
}

/// Target features as a conditioned drafter's layers take them: `RMSNorm(fc · features)`.
struct FeatureFusion: Sendable {
  let matrix: PackedMatrix  // [hidden][taps * hidden]: `fc`
  let norm: FloatBuffer  // [hidden]: `hidden_norm`
}
