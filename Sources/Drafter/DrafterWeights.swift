import Files
package import Foundation
package import Tensors

/// The weights of a drafter on disk, a folder's or a GGUF file's, by the names that folders have for them.
package struct DrafterWeights {
  private let source: any WeightSource

  /// Opens the weights.
  ///
  /// - Parameter configuration: What stands beside them.
  /// - Throws: `SpeculateError` if they can't be read.
  package init(_ url: URL, of configuration: DrafterConfiguration) throws {
    source =
      GGUFFile.isMeant(by: url)
      ? GGUFSource(try GGUFFile(url: url), places: DrafterPlaces.places(of: configuration))
      : CheckpointSource(try Checkpoint(directory: url), path: url.path)
  }

  /// A tensor's values as f32, whatever they are stored as.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or of another shape.
  package func values(_ tensor: NamedShape) throws -> FloatBuffer { try source.values(tensor) }
}
