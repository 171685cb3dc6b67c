import Foundation

/// A folder for one test, removed with the object; in memory where that is possible, because runs
/// sync every file they write.
final class TemporaryFolder {
  let url: URL

  init() throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let parent =
      FileManager.default.isWritableFile(atPath: memory.path)
      ? memory : FileManager.default.temporaryDirectory
    url = parent.appendingPathComponent("speculate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// A path inside.
  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Writes a file.
  @discardableResult
  func write(_ data: Data, to name: String) throws -> URL {
    try data.write(to: file(name))
    return file(name)
  }
}
