package import Tensors

/// A causal transformer's weights.
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

  /// What embeddings are multiplied by.
  let embeddingScale: Float
  /// What logits are multiplied by.
  private let logitScale: Float
  /// The bound that logits approach; nil for none.
  private let logitCap: Float?

  /// Takes the weights from a source, the embedding and the head by the names that they have there.
  package init(
    _ c: ModelConfiguration, formats: WeightFormats, source: any WeightSource,
    embeddingName: String, headName: String
  ) throws {
    configuration = c
    self.formats = formats
    (embeddingScale, logitScale, logitCap) = (c.embeddingScale, c.logitScale, c.logitCap)
    layers = try (0..<c.layerCount).map {
      try DecoderLayer(source, layout: c.layout(ofLayer: $0), format: formats.layers)
    }
    finalNorm = try source.values(c.family.tensors.finalNorm, [c.hiddenSize])
    embedding = try source.embedding(
      embeddingName, vocabularySize: c.vocabularySize, width: c.hiddenSize,
      format: formats.embedding)
    head = try source.matrix(
      headName, rows: c.vocabularySize, columns: c.hiddenSize, format: formats.head)
  }

  /// Makes logits of what the head gives, for some tokens of a row.
  func finish(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    if logitScale != 1 { Kernels.scale(values, by: logitScale, count: count) }
    if let logitCap { Kernels.softCap(values, count: count, cap: logitCap) }
  }

  /// Every matrix that one pass reads, the head included.
  package var matrices: [PackedMatrix] { layers.flatMap(\.matrices) + [head] }

  /// Weights that one pass multiplies every row by: those of all matrices.
  package var weightCount: Int { matrices.reduce(0) { $0 + $1.rows * $1.columns } }

  /// Bytes of weights that producing one token reads: all matrices, no embedding.
  package var bytesPerToken: Int { matrices.reduce(0) { $0 + $1.byteCount } }
}
