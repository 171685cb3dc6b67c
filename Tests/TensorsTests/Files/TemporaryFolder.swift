import Foundation

/// A folder of its own for one test, removed with the object.
final class TemporaryFolder {
  let url: URL

  /// Makes a folder.
  ///
  /// - Parameter inMemory: Whether thousands of files are going to be written, for which a disk is
  ///   too slow.
  init(inMemory: Bool = false) throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let usesMemory = inMemory && FileManager.default.isWritableFile(atPath: memory.path)
    url = (usesMemory ? memory : FileManager.default.temporaryDirectory)
      .appendingPathComponent("speculate-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Writes a file and returns its place.
  @discardableResult
  func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> URL {
    try Data(bytes).write(to: file(name))
    return file(name)
  }
}
