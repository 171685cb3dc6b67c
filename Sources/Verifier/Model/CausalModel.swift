package import Files
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
  package let finalNorm: Norm
  /// What is added to the embeddings by their positions, `[maximumContext, in whole blocks][hidden]`; nil
  /// where nothing is.
  let positions: FloatBuffer?
  /// What is added to logits, `[vocabulary]`; nil for nothing.
  package let headBias: FloatBuffer?

  /// What embeddings are multiplied by.
  let embeddingScale: Float
  /// What logits are multiplied by.
  private let logitScale: Float
  /// The bound that logits approach; nil for none.
  private let logitCap: Float?

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
    (embeddingScale, logitScale, logitCap) = (c.embeddingScale, c.logitScale, c.logitCap)
    layers = try (0..<c.layerCount).map {
      try DecoderLayer(source, layout: c.layout(ofLayer: $0), format: formats.layers)
    }
    let norm = c.finalNorm
    finalNorm = try Norm(
      source, c.family.norm, weight: norm.weight, bias: norm.bias, width: c.hiddenSize,
      epsilon: c.normEpsilon)
    embedding = try source.embedding(
      embeddingName, vocabularySize: c.vocabularySize, width: c.hiddenSize,
      format: formats.embedding)
    head = try source.matrix(
      headName, rows: c.vocabularySize, columns: c.hiddenSize, format: formats.head)
    headBias = try c.headBias.map(source.values)
    positions = try c.positions.map { tensor in
      let stored = try source.values(tensor)
      // Rows of a last block that are beyond the context are never looked at but by drafts past the end.
      let table = FloatBuffer(
        count: KeyValueCache.roundedUp(c.maximumContext) * c.hiddenSize)
      table.base.update(from: stored.base, count: stored.count)
      return table
    }
  }

  /// Makes logits of what the head gives, for some tokens of a row.
  func finish(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    if logitScale != 1 { Kernels.scale(values, by: logitScale, count: count) }
    if let logitCap { Kernels.softCap(values, count: count, cap: logitCap) }
  }

  /// Every matrix, the head included.
  package var matrices: [PackedMatrix] { layers.flatMap(\.matrices) + [head] }

  /// Weights that a pass multiplies every row by: those of all matrices, but of the chosen experts alone.
  package var weightCount: Int {
    layers.reduce(head.rows * head.columns) { $0 + $1.weightsPerRow }
  }

  /// Bytes of weights that producing one token reads: all matrices but experts that aren't chosen, no
  /// embedding.
  package var bytesPerToken: Int { bytesRead(rows: 1) }

  /// Bytes of weights that a pass over so many rows reads; of experts, those of as many as such rows are
  /// expected to choose where each is as likely as the others.
  package func bytesRead(rows: Int) -> Int {
    Int(layers.reduce(Double(head.byteCount)) { $0 + $1.bytesRead(rows: rows) }.rounded())
  }
}
