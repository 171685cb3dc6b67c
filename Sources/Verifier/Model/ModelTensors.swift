internal import Files
package import Foundation
package import Tensors

/// The tensors of a model's folder or GGUF file as f32, by the names of its family: what training takes of a
/// target beside the passes of ``CausalModel``.
package final class ModelTensors {
  /// The files that hold them.
  package let files: [URL]
  private let source: any WeightSource

  /// Opens the files; no value is read.
  ///
  /// - Throws: `SpeculateError` when a file is missing or damaged, or no supported model.
  package init(directory: URL) throws {
    if GGUFFile.isMeant(by: directory) {
      let file = try GGUFFile(url: directory)
      let places = try GGUFArchitecture.of(try GGUFSettings(file)).places(
        of: ModelConfiguration(file), in: file)
      files = file.files
      source = GGUFSource(file, places: places)
    } else {
      let checkpoint = try CausalModel.checkpoint(
        ModelConfiguration(directory: directory), directory)
      files = checkpoint.files
      source = CheckpointSource(checkpoint, path: directory.path)
    }
  }

  /// The values of a tensor.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  package func floats(_ tensor: NamedShape) throws -> FloatBuffer { try source.values(tensor) }
}
