import Files
import Foundation

/// A model's folder as an option names it.
enum ModelFolder {
  /// The folder, or the GGUF file; also that of a model that was fetched, by its name.
  ///
  /// - Throws: `SpeculateError` when it doesn't exist or isn't a folder.
  static func url(_ path: String, option: String) throws -> URL {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      if let model = PublishedModel.named(path) {
        guard let file = model.file() else {
          throw SpeculateError(
            "\(option) \(path): isn't here yet; run 'speculate fetch \(path)' once")
        }
        return file
      }
      throw SpeculateError("\(option) \(path): there is no such folder; check the path")
    }
    if !isFolder.boolValue, GGUFFile.isMeant(by: URL(filePath: path)) {
      return URL(filePath: path, directoryHint: .notDirectory)
    }
    guard isFolder.boolValue else {
      throw SpeculateError(
        "\(option) \(path): this is a file; give the folder that holds config.json and the weights")
    }
    return URL(filePath: path, directoryHint: .isDirectory)
  }
}
