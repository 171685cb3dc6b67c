package import Foundation

/// The folder that a run writes to.
package enum OutputFolder {
  /// Makes the folder and those above it where they are missing.
  package static func make(_ url: URL) throws {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw SpeculateError(
        "can't make the folder \(url.path): \(systemReason(error)); give another one")
    }
  }
}
