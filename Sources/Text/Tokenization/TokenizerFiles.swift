import Files
import Foundation

/// Reads the files of a tokenizer folder with errors that say which file and why.
enum TokenizerFiles {
  /// The contents of a file.
  static func read(_ file: URL) throws -> Data {
    do {
      return try Data(contentsOf: file)
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw SpeculateError("\(file.path): there is no such file; check the path")
    } catch {
      throw SpeculateError("can't read \(file.path): \(systemReason(error))")
    }
  }

  static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
}
