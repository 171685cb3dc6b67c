package import Foundation

/// The files that hold a model's weights.
package enum WeightFiles {
  /// Those of a folder, or all parts of a GGUF model.
  ///
  /// - Throws: `SpeculateError` if there are none, or one can't be read or is damaged.
  package static func of(_ model: URL) throws -> [URL] {
    GGUFFile.isMeant(by: model)
      ? try GGUFFile(url: model).files : try Checkpoint(directory: model).files
  }
}
