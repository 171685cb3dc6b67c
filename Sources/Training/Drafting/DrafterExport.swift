import Drafter
package import Files
package import Foundation
import Tensors

/// Writes a drafter as a folder that `BlockDrafter` loads.
package enum DrafterExport {
  static let weightsName = "model.safetensors"

  /// Writes `config.json`, then `model.safetensors`.
  ///
  /// - Parameter metadata: What the file of weights is to say about itself.
  package static func write(
    _ model: DrafterTrainingModel, type: ElementType, metadata: [String: String] = [:],
    to directory: URL
  ) throws {
    var entries = model.layout.tensors(model.parameters, as: type)
    if let vocabulary = model.target.draftVocabulary,
      let tensor = model.configuration.layout.draftVocabulary
    {
      entries.append(
        SafetensorsWriter.Entry(
          name: tensor.name, integers: vocabulary.enumerated().map { Int($1) - $0 }))
    }
    try AtomicFile.write(
      model.configuration.encoded(), to: directory.appendingPathComponent("config.json"))
    // Last: where the weights are, the folder is whole.
    try SafetensorsWriter.write(
      entries, metadata: metadata.merging(["format": "pt"]) { own, _ in own },
      to: directory.appendingPathComponent(weightsName))
  }
}
