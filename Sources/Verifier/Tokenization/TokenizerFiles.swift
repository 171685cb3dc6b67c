import Foundation
import Tensors

/// Reads the files of a tokenizer folder with errors that say which file and why.
enum TokenizerFiles {
  /// The contents of a file.
  static func read(_ file: URL) throws -> Data {
    do {
      return try Data(contentsOf: file)
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw SpeculateError("\(file.path) does not exist")
    } catch {
      throw SpeculateError("cannot read \(file.path): \(error.localizedDescription)")
    }
  }

  static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
}
