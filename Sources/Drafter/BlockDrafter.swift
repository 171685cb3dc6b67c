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
  let finalNorm: FloatBuffer  // [hidden]
  let heads: [any BlockHead]

  init(
    configuration: DrafterConfiguration, format: WeightFormat, draftVocabulary: [Token]?,
    fusion: FeatureFusion?, vocabulary: OwnVocabulary?, layers: [DecoderLayer],
    finalNorm: FloatBuffer, heads: [any BlockHead]
  ) {
    self.configuration = configuration
    self.format = format
    self.draftVocabulary = draftVocabulary
    self.fusion = fusion
    self.vocabulary = vocabulary
    self.layers = layers
    self.finalNorm = finalNorm
    self.heads = heads
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
}
