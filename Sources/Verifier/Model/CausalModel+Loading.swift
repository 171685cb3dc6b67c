public import Foundation
public import Tensors

extension CausalModel {
  /// Loads a Hugging Face style folder: `config.json` and safetensors.
  ///
  /// - Parameter format: How to hold the matrices; nil keeps bf16 files as bf16 and others as f32.
  /// - Throws: `SpeculateError` when a file is missing or damaged, when the architecture or one of its
  ///   features isn't supported, or when weights and configuration disagree.
  public convenience init(directory: URL, format: WeightFormat? = nil) throws {
    let configuration = try ModelConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    // Of tied tensors a file holds one, and which one is the writer's choice.
    let embeddingName =
      configuration.tiesEmbeddings && checkpoint.shape(of: Self.embeddingName) == nil
        && checkpoint.shape(of: Self.headName) != nil
      ? Self.headName : Self.embeddingName
    let stored = checkpoint.info(embeddingName)?.type
    let source = CheckpointSource(checkpoint, path: directory.path)
    try self.init(
      configuration, format: format ?? (stored == .bf16 ? .bf16 : .f32), source: source,
      embeddingName: embeddingName)
    try source.finish { name in
      name.hasSuffix(".rotary_emb.inv_freq")
        || (configuration.tiesEmbeddings && name == Self.headName)
    }
  }

  /// Makes a model of random weights, the same for the same seed.
  public convenience init(
    random configuration: ModelConfiguration, seed: UInt64, format: WeightFormat = .f32
  ) {
    // A random source has every tensor, so nothing can be missing.
    do {
      try self.init(configuration, format: format, source: RandomSource(seed: seed))
    } catch {
      preconditionFailure("random weights can't be missing: \(error)")
    }
  }

  private static var embeddingName: String { "model.embed_tokens.weight" }
  private static var headName: String { "lm_head.weight" }

  private convenience init(
    _ c: ModelConfiguration, format: WeightFormat, source: any WeightSource,
    embeddingName: String = CausalModel.embeddingName
  ) throws {
    let parts = DecoderLayer.Parts(
      attentionBias: c.attentionBias, outputBias: c.outputBias, feedForwardBias: c.mlpBias,
      headNorms: c.headNorms)
    let layers = try (0..<c.layerCount).map {
      try DecoderLayer(
        source, prefix: "model.layers.\($0).", shape: c.layerShape, parts: parts, format: format)
    }
    let finalNorm = try source.values("model.norm.weight", [c.hiddenSize])
    let tokens = try source.values(embeddingName, [c.vocabularySize, c.hiddenSize])
    let head =
      c.tiesEmbeddings
      ? tokens : try source.values(Self.headName, [c.vocabularySize, c.hiddenSize])
    self.init(
      configuration: c, format: format,
      embedding: TokenEmbedding(
        tokens, vocabularySize: c.vocabularySize, width: c.hiddenSize, format: format),
      head: PackedMatrix(
        head, rows: c.vocabularySize, columns: c.hiddenSize, format: format),
      layers: layers, finalNorm: finalNorm)
  }
}
