import Files
package import Foundation
package import Tensors

extension BlockDrafter {
  /// Loads a drafter folder, `config.json` and safetensors, or a GGUF file.
  ///
  /// - Parameter format: How to hold the matrices; `nil` is f32 for files in f32 and int8 for others.
  ///   A drafter's pass is short and waits for memory, and what it proposes is checked anyway.
  /// - Throws: `SpeculateError` when a file is missing or damaged, or when weights and configuration
  ///   disagree.
  package convenience init(directory: URL, format: WeightFormat? = nil) throws {
    if GGUFFile.isMeant(by: directory) {
      try self.init(try GGUFFile(url: directory), format: format)
      return
    }
    let checkpoint = try Checkpoint(directory: directory)
    let configuration = try DrafterConfiguration(directory: directory).owning(checkpoint)
    let source = CheckpointSource(checkpoint, path: directory.path)
    let query = configuration.layout(ofLayer: 0)[.query]
    let stored = query.flatMap { checkpoint.storedType(of: $0.name) }
    let vocabulary = try configuration.layout.draftVocabulary.map { tensor in
      try Self.draftVocabulary(
        source.integers(tensor.name, count: tensor.shape[0]), of: configuration.vocabularySize,
        named: tensor.name, path: directory.path)
    }
    try self.init(
      configuration, format: format ?? (stored == .f32 ? .f32 : .int8),
      draftVocabulary: vocabulary, source: source, path: directory.path,
      notices: checkpoint.notices)
    try source.finish { $0 == Self.reverseVocabulary && vocabulary != nil }
  }

  /// Makes a drafter of random weights, the same for the same seed.
  ///
  /// A draft vocabulary, where the configuration has one, is spread evenly over the whole.
  package convenience init(
    random configuration: DrafterConfiguration, seed: UInt64, format: WeightFormat = .f32
  ) {
    let vocabulary = configuration.draftVocabularySize.map { size in
      (0..<size).map { Token($0 * configuration.vocabularySize / size) }
    }
    // A random source has every tensor, so nothing can be missing.
    do {
      try self.init(
        configuration, format: format, draftVocabulary: vocabulary, source: RandomSource(seed: seed)
      )
    } catch {
      preconditionFailure("random weights can't be missing: \(error)")
    }
  }

  /// The other way round of `d2t`.
  package static let reverseVocabulary = "t2d"

  private static func draftVocabulary(
    _ offsets: [Int], of vocabulary: Int, named name: String, path: String
  ) throws -> [Token] {
    var tokens: [Token] = []
    for (index, offset) in offsets.enumerated() {
      let (token, overflow) = index.addingReportingOverflow(offset)
      guard !overflow, (0..<vocabulary).contains(token), token > Int(tokens.last ?? -1) else {
        throw SpeculateError(
          "\(path): tensor '\(name)' entry \(index) is no ascending token below "
            + "\(vocabulary); the drafter is damaged, copy it again")
      }
      tokens.append(Token(token))
    }
    return tokens
  }
}

extension DrafterConfiguration {
  /// The same drafter with what its weights hold copies of: the embedding and the head of its target, which
  /// files of DeepSpec and speculators have.
  func owning(_ checkpoint: Checkpoint) -> DrafterConfiguration {
    guard kind.readsFeatures else { return self }
    var owning = self
    owning.ownsEmbedding = checkpoint.shape(of: "embed_tokens.weight") != nil
    owning.ownsHead = checkpoint.shape(of: "lm_head.weight") != nil
    return owning
  }
}
