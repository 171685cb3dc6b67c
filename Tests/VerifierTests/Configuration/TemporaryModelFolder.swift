import Foundation

/// A folder with configuration files for one test, removed with the object.
final class TemporaryModelFolder {
  let url: URL

  /// Makes a folder; `inMemory` where thousands of files are written, for which a disk is too slow.
  init(config: String? = nil, generation: String? = nil, inMemory: Bool = false) throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let usesMemory = inMemory && FileManager.default.isWritableFile(atPath: memory.path)
    url = (usesMemory ? memory : FileManager.default.temporaryDirectory)
      .appendingPathComponent("speculate-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    if let config { try write(Data(config.utf8), to: "config.json") }
    if let generation { try write(Data(generation.utf8), to: "generation_config.json") }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ data: Data, to name: String) throws {
    try data.write(to: url.appendingPathComponent(name))
  }
}
