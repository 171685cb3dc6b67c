package import Foundation

/// Where tests find the package's own files and the data folder beside it.
package enum TestFiles {
  /// The package's root folder.
  package static let package = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A file of the shared data folder, which is not part of the package.
  package static func data(_ path: String) -> URL {
    package.deletingLastPathComponent().appending(path: "shared/data").appending(path: path)
  }

  package static func exist(_ files: URL...) -> Bool {
    files.allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// Runs a body with a new folder holding the given files, and removes it afterwards.
  package static func withFolder<R>(_ files: [String: Data], _ body: (URL) throws -> R) throws -> R
  {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "speculate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, contents) in files { try contents.write(to: folder.appending(path: name)) }
    return try body(folder)
  }
}
