import Drafter
public import Foundation
public import Tensors

/// Writes a drafter as a folder that `BlockDrafter` loads.
public enum DrafterExport {
  /// Writes `config.json` and `model.safetensors`.
  public static func write(
    _ model: DrafterTrainingModel, type: ElementType, to directory: URL
  ) throws {
    var entries = model.layout.entries.map {
      SafetensorsWriter.Entry(
        name: $0.name, shape: $0.shape, type: type, values: model.parameters.base + $0.offset)
    }
    if let vocabulary = model.target.draftVocabulary {
      entries.append(
        SafetensorsWriter.Entry(
          name: BlockDrafter.vocabularyName,
          integers: vocabulary.enumerated().map { Int($1) - $0 }))
    }
    try SafetensorsWriter.write(
      entries, metadata: ["format": "pt"],
      to: directory.appendingPathComponent("model.safetensors"))
    try AtomicFile.write(
      model.configuration.encoded(), to: directory.appendingPathComponent("config.json"))
  }
}
