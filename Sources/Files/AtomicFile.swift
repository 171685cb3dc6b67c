package import Foundation

/// Files that appear whole or not at all.
package enum AtomicFile {
  /// Replaces a file's contents: temporary name in the same folder, sync, rename, sync of the folder.
  ///
  /// A reader sees the old file or the new one; a power cut leaves one of the two.
  ///
  /// - Throws: `SpeculateError` if the folder is missing or can't be written, or the disk is full.
  package static func write(_ data: Data, to url: URL) throws {
    let writer = try AtomicFileWriter(url: url)
    try data.withUnsafeBytes { try writer.write($0) }
    try writer.commit()
  }
}
