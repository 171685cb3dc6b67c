import Foundation

/// Which files of a folder hold its weights.
enum CheckpointFiles {
  /// One file, and what to say where there are others.
  case single(URL, Notice? = nil)
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
      throw SpeculateError(
        GGUFFile.isMeant(by: directory)
          ? "\(directory.path): is a GGUF file, but a folder is needed; convert it with 'speculate convert'"
          : "\(directory.path): is a file; give the folder that holds it")
    }
    func existing(_ name: String) -> URL? {
      let url = directory.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
    let indexName = "model.safetensors.index.json"
    if let name = try Self.named(directory) {
      self =
        name.hasSuffix(".index.json")
        ? .sharded(try CheckpointIndex(url: directory.appendingPathComponent(name)))
        : .single(directory.appendingPathComponent(name))
    } else if let file = existing("model.safetensors") ?? existing("model.safetensors.zst") {
      let stray = existing(indexName).map { _ in
        Notice(
          file.path,
          "it is used, and the shards of \(indexName) beside it are not; remove the one that isn't meant"
        )
      }
      self = .single(file, stray)
    } else if let index = existing(indexName) {
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

  /// The file that `transformers_weights` of `config.json` names; nil where it names none.
  private static func named(_ directory: URL) throws -> String? {
    let url = directory.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let key = "transformers_weights"
    let file = try ConfigurationFile(url: url)
    guard let name = try file.text(key) else { return nil }
    guard name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.index.json"),
      !name.contains("/"), FileManager.default.fileExists(atPath: directory.path + "/" + name)
    else {
      throw file.problem(
        "\(key) \(quoted(name)) is no .safetensors or .safetensors.index.json file of this folder; "
          + "correct it")
    }
    return name
  }
}
