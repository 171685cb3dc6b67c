package import Files
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

  /// What loading found that the user should know.
  package let notices: [Notice]
  /// The sampling that the folder proposes and that isn't applied, one of ``notices``.
  package let samplingNotice: Notice?
  /// The folder or file that it was loaded from; nil for random weights.
  package let path: String?

  /// Takes the weights from a source, the embedding and the head by the names that they have there.
  package init(
    _ c: ModelConfiguration, formats: WeightFormats, source: any WeightSource,
    embeddingName: String, headName: String, path: String? = nil, notices: [Notice] = [],
    samplingNotice: Notice? = nil
  ) throws {
    configuration = c
    self.path = path
    self.notices = notices + [samplingNotice].compactMap { $0 }
    self.samplingNotice = samplingNotice
    self.formats = formats
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

  /// Every matrix that one pass reads, the head included.
  package var matrices: [PackedMatrix] { layers.flatMap(\.matrices) + [head] }

  /// Weights that one pass multiplies every row by: those of all matrices.
  package var weightCount: Int { matrices.reduce(0) { $0 + $1.rows * $1.columns } }

  /// Bytes of weights that producing one token reads: all matrices, no embedding.
  package var bytesPerToken: Int { matrices.reduce(0) { $0 + $1.byteCount } }
}
