public import Tensors

/// A conditioned block-diffusion drafter's weights (arXiv 2602.06036; ALGORITHMS 3.1).
///
/// Immutable and shared between sequences; a pass runs in a `DrafterRunner`. It holds nothing of the
/// target: features, embedding and head come in as arguments.
public final class BlockDrafter: Sendable {
  /// The sizes, as `config.json` gives them.
  public let configuration: DrafterConfiguration

  /// How the matrices are held.
  public let format: WeightFormat

  /// The token that each index of the draft vocabulary stands for, ascending; nil for the whole
  /// vocabulary.
  public let draftVocabulary: [Token]?

  let fuse: PackedMatrix  // [hidden][taps * hidden]: `fc`
  let contextNorm: FloatBuffer  // [hidden]: `hidden_norm`
  let layers: [DecoderLayer]
  let finalNorm: FloatBuffer  // [hidden]
  let markov: MarkovHead?

  init(
    configuration: DrafterConfiguration, format: WeightFormat, draftVocabulary: [Token]?,
    fuse: PackedMatrix, contextNorm: FloatBuffer, layers: [DecoderLayer], finalNorm: FloatBuffer,
    markov: MarkovHead?
  ) {
    self.configuration = configuration
    self.format = format
    self.draftVocabulary = draftVocabulary
    self.fuse = fuse
    self.contextNorm = contextNorm
    self.layers = layers
    self.finalNorm = finalNorm
    self.markov = markov
  }

  /// Bytes of the drafter's own weights that one draft pass reads; the head is not its own.
  public var bytesPerPass: Int { layers.flatMap(\.matrices).reduce(0) { $0 + $1.byteCount } }
}

/// A low-rank bias on a row's logits by the token before it: `logits += W2 · W1[previous]` (DSpark,
/// arXiv 2607.05147; ALGORITHMS 3.3).
struct MarkovHead: Sendable {
  let embedding: TokenEmbedding  // [vocabulary][rank]: W1
  let projection: PackedMatrix  // [choices][rank]: W2
}
