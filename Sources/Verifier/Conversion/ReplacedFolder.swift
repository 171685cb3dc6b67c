import Files
import Foundation

/// A folder that is written under a temporary name beside its place and takes the place at the end.
struct ReplacedFolder {
  let temporary: URL
  private let destination: URL
  private let replaces: Bool

  /// Makes the temporary folder.
  ///
  /// - Throws: `SpeculateError` if something is in the place that may not be replaced, or the folder
  ///   around it can't be written.
  init(_ destination: URL, replaces: Bool, source: URL) throws {
    self.destination = destination
    self.replaces = replaces
    func real(_ url: URL) -> String { url.resolvingSymlinksInPath().standardizedFileURL.path }
    guard real(destination) != real(source) else {
      throw SpeculateError("\(destination.path): is the folder to convert; give another one")
    }
    try Self.check(destination, replaces: replaces)
    let suffix = String(UInt64.random(in: 0 ... .max), radix: 36)
    temporary = destination.deletingLastPathComponent()
      .appending(
        path: ".\(destination.lastPathComponent).\(suffix).tmp", directoryHint: .isDirectory)
    do {
      try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: false)
    } catch {
      throw SpeculateError("\(destination.path): can't be written: \(systemReason(error))")
    }
  }

  private static func check(_ destination: URL, replaces: Bool) throws {
    guard FileManager.default.fileExists(atPath: destination.path) else { return }
    guard replaces else {
      throw SpeculateError(
        "\(destination.path): exists already; give another folder, or ‘force’ to replace it")
    }
    // Never remove what isn't a model.
    let configuration = destination.appending(path: "config.json")
    guard FileManager.default.fileExists(atPath: configuration.path) else {
      throw SpeculateError(
        "\(destination.path): exists and is no model's folder (it has no config.json), so it is not "
          + "replaced; give another folder")
    }
  }

  /// Puts the folder in its place; what was there before is removed last.
  func commit() throws {
    try Self.check(destination, replaces: replaces)
    let old = temporary.deletingPathExtension().appendingPathExtension("old")
    let exists = FileManager.default.fileExists(atPath: destination.path)
    do {
      if exists { try FileManager.default.moveItem(at: destination, to: old) }
      try FileManager.default.moveItem(at: temporary, to: destination)
      if exists { try FileManager.default.removeItem(at: old) }
    } catch {
      throw SpeculateError("\(destination.path): can't be written: \(systemReason(error))")
    }
  }

  func abandon() { try? FileManager.default.removeItem(at: temporary) }
}
