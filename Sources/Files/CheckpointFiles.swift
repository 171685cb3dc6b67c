import Foundation

/// Which files of a folder hold its weights.
enum CheckpointFiles {
  case single(URL)
  case sharded(CheckpointIndex)

  /// Looks for the weights of a folder.
  ///
  /// - Throws: `SpeculateError` if it is no folder or holds no weights this package reads.
  init(directory: URL) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory.path, isDirectory: &isDirectory) else {
      throw SpeculateError("\(directory.path): no such folder; check the path")
    }
    guard isDirectory.boolValue else {
      throw SpeculateError("\(directory.path): is a file; give the folder that holds it")
    }
    func existing(_ name: String) -> URL? {
      let url = directory.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
    if let file = existing("model.safetensors") ?? existing("model.safetensors.zst") {
      self = .single(file)
    } else if let index = existing("model.safetensors.index.json") {
      self = .sharded(try CheckpointIndex(url: index))
    } else if existing("pytorch_model.bin") != nil
      || existing("pytorch_model.bin.index.json") != nil
    {
      throw SpeculateError(
        "\(directory.path): the weights are a pickled pytorch_model.bin, which is not read; "
          + "convert them to model.safetensors")
    } else {
      throw SpeculateError(
        "\(directory.path): there is no model.safetensors, model.safetensors.zst or "
          + "model.safetensors.index.json in this folder; check the path")
    }
  }
}
