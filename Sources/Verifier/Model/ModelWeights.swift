import Files
package import Foundation
package import Tensors

/// The weights of a model on disk, a folder's or a GGUF file's, by the names that the family has for them.
package struct ModelWeights {
  /// The files that hold them.
  package let files: [URL]
  private let source: any WeightSource

  /// Opens the weights.
  ///
  /// - Throws: `SpeculateError` if the model can't be read or isn't supported.
  package init(_ url: URL) throws {
    let read = try ModelConfiguration(directory: url)
    if GGUFFile.isMeant(by: url) {
      let file = try GGUFFile(url: url)
      let architecture = try GGUFArchitecture.of(try GGUFSettings(file))
      files = file.files
      source = GGUFSource(file, places: architecture.places(of: read, in: file))
    } else {
      let checkpoint = try CausalModel.checkpoint(read, url)
      files = checkpoint.files
      source = CheckpointSource(checkpoint, path: url.path)
    }
  }

  /// Whether there is a tensor of this name.
  package func holds(_ name: String) -> Bool { source.holds(name) }

  /// A tensor's values as f32, whatever they are stored as.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or of another shape.
  package func values(_ tensor: NamedShape) throws -> FloatBuffer { try source.values(tensor) }
}
