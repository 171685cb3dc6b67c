import Files
package import Foundation

/// A folder that is written under a temporary name beside its place and takes the place at the end.
package struct ReplacedFolder {
  package let temporary: URL
  private let destination: URL
  private let replaces: Bool
  private let names: Set<String>
  private let claim: OutputClaim

  /// Makes the temporary folder.
  ///
  /// - Parameter names: The files that will be in the folder; only these may be replaced.
  /// - Throws: `SpeculateError` if something is in the place that may not be replaced, the place
  ///   overlaps with the source, or the folder around it can't be written.
  package init(_ destination: URL, replaces: Bool, names: Set<String>, source: URL) throws {
    func real(_ url: URL) -> URL { url.standardizedFileURL.resolvingSymlinksInPath() }
    // The place itself, not a link to it or `.`, has a neighbourhood to write in.
    let destination = real(destination)
    self.destination = destination
    self.replaces = replaces
    self.names = names
    guard destination.path != real(source).path else {
      throw SpeculateError("\(destination.path): is the folder to convert; give another one")
    }
    claim = try OutputClaim.namingDestination {
      try OutputClaim(replacing: destination, apartFrom: [OutputClaim.Input("source", source)])
    }
    do {
      try Self.clear(destination)
    } catch {
      throw SpeculateError("\(destination.path): can't be written: \(systemReason(error))")
    }
    try Self.check(destination, replaces: replaces, names: names)
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

  private static func check(_ destination: URL, replaces: Bool, names: Set<String>) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: destination.path, isDirectory: &isFolder) else {
      return
    }
    guard replaces else {
      throw SpeculateError(
        "\(destination.path): exists already; give another folder, or ‘force’ to replace it")
    }
    // Never remove what isn't a model, nor anything that isn't written anew.
    let configuration = destination.appending(path: "config.json")
    guard isFolder.boolValue, FileManager.default.fileExists(atPath: configuration.path) else {
      throw SpeculateError(
        "\(destination.path): exists and is no model's folder (it has no config.json), so it is not "
          + "replaced; give another folder")
    }
    let found = try? FileManager.default.contentsOfDirectory(atPath: destination.path)
    let others = Set(found ?? []).subtracting(names).sorted()
    guard others.isEmpty else {
      let shown = others.prefix(3).map(quoted).joined(separator: ", ")
      throw SpeculateError(
        "\(destination.path): holds \(shown)\(others.count > 3 ? " and more" : ""), which would be lost; "
          + "move that away, or give another folder")
    }
  }

  /// Puts the folder in its place; what was there before is removed last.
  package func commit() throws {
    try Self.check(destination, replaces: replaces, names: names)
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

  /// Puts back or removes what killed processes left of a folder, which this one alone writes now.
  private static func clear(_ destination: URL) throws {
    let folder = destination.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let prefix = ".\(destination.lastPathComponent)."
    for name in names where name.hasPrefix(prefix) {
      let place = folder.appending(path: name)
      let mark = name.dropFirst(prefix.count).dropLast(4)
      var isFolder: ObjCBool = false
      guard ["tmp", "old"].contains(place.pathExtension), !mark.isEmpty,
        mark.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isLowercase) }),
        FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder),
        isFolder.boolValue
      else { continue }
      // Killed between the two renames.
      let isLost =
        place.pathExtension == "old" && !FileManager.default.fileExists(atPath: destination.path)
      if isLost {
        try FileManager.default.moveItem(at: place, to: destination)
      } else {
        try FileManager.default.removeItem(at: place)
      }
    }
  }

  package func abandon() { try? FileManager.default.removeItem(at: temporary) }
}
