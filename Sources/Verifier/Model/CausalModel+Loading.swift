import Files
package import Foundation
package import Tensors

extension CausalModel {
  /// Loads a Hugging Face style folder, `config.json` and safetensors, or a GGUF file.
  ///
  /// - Parameters:
  ///   - weights: How to hold the matrices and the embedding. As stored means as bf16 where files hold
  ///     bf16, in the integer formats of a converted model, and else as f32.
  ///   - families: Those whose models are read.
  /// - Throws: `SpeculateError` when a file is missing or damaged, when the architecture or one of its
  ///   features isn't supported, or when weights and configuration disagree.
  package convenience init(
    directory: URL, weights: WeightFormatChoice = .stored, families: FamilyRegistry = .standard
  ) throws {
    if GGUFFile.isMeant(by: directory) {
      try self.init(try GGUFFile(url: directory), weights: weights)
      return
    }
    let read = try ModelConfiguration(directory: directory, families: families)
    let checkpoint = try Self.checkpoint(read, directory)
    var configuration = read.naming(experts: checkpoint)
    var notices = checkpoint.notices
    if try TiedHead.differs(configuration, checkpoint) {
      configuration.tiesEmbeddings = false
      notices.append(TiedHead.notice(configuration, path: directory.path))
    }
    let embeddingName = Self.embeddingName(configuration, checkpoint)
    let stored = Self.storedFormats(configuration, checkpoint)
    // A converted model holds a tied head apart where its format is another than the embedding's.
    let headName = configuration.family.tensors.head
    let isApart = configuration.quantization != nil && checkpoint.shape(of: headName) != nil
    let source = CheckpointSource(
      checkpoint, path: directory.path, keepsBlocks: weights.layers == nil,
      floatActivations: weights.floatActivations)
    try self.init(
      configuration, formats: weights.applied(to: stored), source: source,
      embeddingName: embeddingName,
      headName: configuration.tiesEmbeddings && !isApart ? embeddingName : headName,
      path: directory.path, notices: notices,
      samplingNotice: try SamplingDefaults.notice(directory: directory))
    let isTied = configuration.tiesEmbeddings
    try source.finish { name in
      configuration.family.tensors.isComputed(name) || (isTied && name == headName)
    }
  }

  /// The formats that a folder's weights are stored in, from its headers.
  ///
  /// - Throws: As `init(directory:weights:)`, for what can be seen without loading.
  package static func storedFormats(directory: URL) throws -> WeightFormats {
    if GGUFFile.isMeant(by: directory) { return try storedFormats(try GGUFFile(url: directory)) }
    let configuration = try ModelConfiguration(directory: directory)
    return storedFormats(configuration, try checkpoint(configuration, directory))
  }

  /// The weights of a folder, by the names that the family has for them.
  ///
  /// - Throws: As `Checkpoint`.
  static func checkpoint(
    _ configuration: ModelConfiguration, _ directory: URL
  ) throws -> Checkpoint {
    let checkpoint = try Checkpoint(directory: directory)
    let names = configuration.family.tensors
    guard let prefix = names.optionalPrefix,
      !checkpoint.names.contains(where: { $0.hasPrefix(prefix) })
    else { return checkpoint }
    return checkpoint.renamed { $0 == names.head || $0 == names.headBias ? $0 : prefix + $0 }
  }

  private static func storedFormats(
    _ configuration: ModelConfiguration, _ checkpoint: Checkpoint
  ) -> WeightFormats {
    let type = checkpoint.storedType(of: embeddingName(configuration, checkpoint))
    return configuration.quantization ?? WeightFormats(layers: type == .bf16 ? .bf16 : .f32)
  }

  /// Of tied tensors a file holds one, and which one is the writer's choice.
  private static func embeddingName(
    _ configuration: ModelConfiguration, _ checkpoint: Checkpoint
  ) -> String {
    let names = configuration.family.tensors
    return configuration.tiesEmbeddings && checkpoint.shape(of: names.embedding) == nil
      && checkpoint.shape(of: names.head) != nil
      ? names.head : names.embedding
  }

  /// Makes a model of random weights, the same for the same seed.
  package convenience init(
    random configuration: ModelConfiguration, seed: UInt64, formats: WeightFormats
  ) {
    // A random source has every tensor, so nothing can be missing.
    do {
      let names = configuration.family.tensors
      try self.init(
        configuration, formats: formats, source: RandomSource(seed: seed),
        embeddingName: names.embedding,
        headName: configuration.tiesEmbeddings ? names.embedding : names.head)
    } catch {
      preconditionFailure("random weights can't be missing: \(error)")
    }
  }
}
