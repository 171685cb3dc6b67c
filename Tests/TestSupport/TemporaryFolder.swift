package import Foundation

/// A folder of its own for one test, removed with the object; in memory where that is possible,
/// because tests write thousands of files, and runs sync every one of theirs.
package final class TemporaryFolder {
  package let url: URL

  package init() throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let parent =
      FileManager.default.isWritableFile(atPath: memory.path)
      ? memory : FileManager.default.temporaryDirectory
    url = parent.appendingPathComponent("speculate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// A path inside.
  package func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Writes a file and returns its place.
  @discardableResult
  package func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> URL {
    try Data(bytes).write(to: file(name))
    return file(name)
  }
}
