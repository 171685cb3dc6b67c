import Files
package import Foundation
package import Tensors

extension BlockDrafter {
  /// Looks at a folder or a GGUF file as loading it would, and reads no value but the draft vocabulary's.
  ///
  /// - Throws: What loading it would, but for damaged values.
  package static func check(directory: URL) throws {
    let configuration = try DrafterConfiguration(directory: directory)
    if GGUFFile.isMeant(by: directory) {
      let file = try GGUFFile(url: directory)
      let source = GGUFSource(file, places: DrafterPlaces.places(of: configuration))
      for tensor in configuration.tensors where isNeeded(tensor) || source.holds(tensor.name) {
        try source.check(tensor)
      }
      try source.finish { $0 == DrafterPlaces.draftVocabulary }
    } else {
      let checkpoint = try Checkpoint(directory: directory)
      let source = CheckpointSource(checkpoint, path: directory.path)
      let configuration = configuration.owning(checkpoint)
      for tensor in configuration.tensors where isNeeded(tensor) || source.holds(tensor.name) {
        try source.check(tensor)
      }
      if let vocabulary = configuration.layout.draftVocabulary {
        _ = try source.integers(vocabulary.name, count: vocabulary.shape[0])
      }
      try source.finish { $0 == reverseVocabulary && configuration.draftVocabularySize != nil }
    }
  }

  /// Whether a drafter can't be without a tensor.
  private static func isNeeded(_ tensor: NamedShape) -> Bool {
    tensor.name != ConfidenceHeadConfiguration().own.name
  }
}

extension DrafterConfiguration {
  /// All tensors of weights.
  package var tensors: [NamedShape] {
    let layout = self.layout
    let layers = (0..<layerCount).flatMap { self.layout(ofLayer: $0).tensors.map(\.tensor) }
    let heads = placedHeads.flatMap { $0.head.tensors($0.place) }
    return [
      layout.fusion?.matrix, layout.fusion?.norm, layout.embedding, layout.head, layout.finalNorm,
    ]
    .compactMap(\.self) + layers + heads
  }
}
