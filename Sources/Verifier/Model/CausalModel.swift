package import Tensors

/// A causal transformer's weights: Llama, Mistral, Qwen2 or Qwen3, dense.
///
/// Immutable and shared between sequences; what a pass needs beside them is in `CausalRunner`.
package final class CausalModel: Sendable {
  /// The sizes and features, as `config.json` gives them.
  package let configuration: ModelConfiguration

  package let formats: WeightFormats

  package let embedding: TokenEmbedding

  /// `[vocabulary][hidden]`; the embedding's values where the configuration ties them.
  package let head: PackedMatrix

  let layers: [DecoderLayer]
  package let finalNorm: FloatBuffer

  init(
    configuration: ModelConfiguration, formats: WeightFormats, embedding: TokenEmbedding,
    head: PackedMatrix, layers: [DecoderLayer], finalNorm: FloatBuffer
  ) {
    self.configuration = configuration
    self.formats = formats
    self.embedding = embedding
    self.head = head
    self.layers = layers
    self.finalNorm = finalNorm
  }

  /// Every matrix that one pass reads, the head included.
  package var matrices: [PackedMatrix] { layers.flatMap(\.matrices) + [head] }

  /// Weights that one pass multiplies every row by: those of all matrices.
  package var weightCount: Int { matrices.reduce(0) { $0 + $1.rows * $1.columns } }

  /// Bytes of weights that producing one token reads: all matrices, no embedding.
  package var bytesPerToken: Int { matrices.reduce(0) { $0 + $1.byteCount } }
}
