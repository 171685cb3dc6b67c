package import Foundation
import Glibc

/// A folder or file that this process alone writes, as long as the object lives.
///
/// A claim is made before any work. It refuses a place that holds something else, one that overlaps
/// with what the work reads, and one that another process is writing. A folder remembers the job that
/// began it in ``marker``, so that the job can go on in it and no other can.
package final class OutputClaim {
  /// What a folder is written by.
  package struct Job: Codable, Equatable, Sendable {
    /// The command, as the user calls it: `distill data`.
    package var command: String
    /// What the result depends on and the command doesn't check by itself, by the settings' names.
    package var settings: [String: String]

    package init(_ command: String, settings: [String: String] = [:]) {
      self.command = command
      self.settings = settings
    }

    /// What stands for a file's contents among the settings.
    package static func fingerprint(_ print: UInt64) -> String {
      "\(printMark)\(String(print, radix: 16))"
    }

    fileprivate static let printMark = "fingerprint "
  }

  /// Something the work reads: a file or folder, and the setting that names it.
  package struct Input {
    let setting: String
    let url: URL

    package init(_ setting: String, _ url: URL) {
      self.setting = setting
      self.url = url
    }
  }

  /// The file in which a folder remembers its job.
  package static let marker = ".speculate.json"
  private static let lockName = ".speculate.lock"

  private let lock: FileLock

  /// Claims a folder, and makes it where it is missing. Files that a killed process left half written
  /// in it are removed.
  ///
  /// - Parameters:
  ///   - inputs: What must be neither the folder, nor in it, nor around it.
  /// - Throws: `SpeculateError` when the folder holds anything that `job` didn't begin, overlaps with an
  ///   input, is being written, or can't be made.
  package init(folder: URL, for job: Job, apartFrom inputs: [Input] = []) throws {
    try Self.check(folder, isFolder: true, apartFrom: inputs)
    try Self.checkContents(of: folder, for: job)
    try OutputFolder.make(folder)
    lock = try FileLock(folder.appendingPathComponent(Self.lockName), of: folder.path)
    // Again: another process may have begun and ended meanwhile.
    try Self.checkContents(of: folder, for: job)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(
      encoder.encode(job), to: folder.appendingPathComponent(Self.marker))
    Leftovers.remove(in: folder)
  }

  /// Claims a folder that is written beside its place and takes the place, with all that is there, at
  /// the end.
  ///
  /// - Throws: `SpeculateError` when it overlaps with an input, or is being written.
  package init(replacing folder: URL, apartFrom inputs: [Input] = []) throws {
    try Self.check(folder, isFolder: true, apartFrom: inputs)
    lock = try FileLock(
      folder.deletingLastPathComponent()
        .appendingPathComponent(".\(folder.lastPathComponent).lock"), of: folder.path)
  }

  /// Claims a file. What a killed process left half written beside it under its name is removed.
  ///
  /// - Throws: `SpeculateError` when it is an input, a folder, or being written, or its folder is missing.
  package init(file: URL, apartFrom inputs: [Input] = []) throws {
    try Self.check(file, isFolder: false, apartFrom: inputs)
    let folder = file.deletingLastPathComponent()
    lock = try FileLock(
      folder.appendingPathComponent(".\(file.lastPathComponent).lock"), of: file.path)
    Leftovers.remove(in: folder, of: file.lastPathComponent)
  }

  /// Refuses a place that is an input, in one or around one, whatever links lead there.
  ///
  /// A file may lie beside its inputs, and in a folder that is one; a folder may not.
  private static func check(_ output: URL, isFolder: Bool, apartFrom inputs: [Input]) throws {
    let place = ResolvedPath(output)
    for input in inputs {
      let other = ResolvedPath(input.url)
      let relation: String? =
        if place == other {
          "is"
        } else if isFolder, place.contains(other) {
          "holds"
        } else if isFolder, other.contains(place) {
          "lies in"
        } else {
          nil
        }
      guard let relation else { continue }
      throw SpeculateError(
        "\(output.path) \(relation) the ‘\(input.setting)’ \(input.url.path): give an ‘output’ apart "
          + "from it")
    }
  }

  private static func checkContents(of folder: URL, for job: Job) throws {
    let own: Set = [marker, lockName]
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      return  // missing, or no folder: making it tells
    }
    let url = folder.appendingPathComponent(marker)
    if let data = try? Data(contentsOf: url) {
      guard let begun = try? JSONDecoder().decode(Job.self, from: data) else {
        throw SpeculateError("\(url.path) is damaged: give another ‘output’")
      }
      guard begun.command == job.command else {
        throw SpeculateError(
          "\(folder.path) was begun by '\(begun.command)': give another ‘output’")
      }
      if let difference = difference(begun.settings, job.settings) {
        throw SpeculateError("\(folder.path) was begun \(difference)")
      }
      return
    }
    let found = names.filter { !own.contains($0) && !Leftovers.isOne($0) }.sorted()
    guard !found.isEmpty else { return }
    let shown = found.prefix(3).map(quoted).joined(separator: ", ")
    throw SpeculateError(
      "\(folder.path) holds \(shown)\(found.count > 3 ? " and more" : "")"
        + ", which '\(job.command)' didn't begin: give another ‘output’")
  }
}

extension OutputClaim {
  /// How settings differ from those that something was made with, and what to do; nil if they don't.
  package static func difference(
    _ begun: [String: String], _ wanted: [String: String]
  ) -> String? {
    if begun.isEmpty && !wanted.isEmpty {
      return "by an earlier version, which noted no settings: give another ‘output’"
    }
    // First what both have: another value of one setting brings others along.
    let keys = Set(begun.keys).union(wanted.keys).sorted()
    let different = keys.filter { begun[$0] != wanted[$0] }
    guard
      let key = different.first(where: { begun[$0] != nil && wanted[$0] != nil })
        ?? different.first
    else { return nil }
    guard let value = begun[key] else {
      return "without ‘\(key)’: leave it out, or give another ‘output’"
    }
    let shown = value.hasPrefix(Job.printMark) ? "" : " (\(value))"
    return "with another ‘\(key)’\(shown): give it again, or another ‘output’"
  }
}

/// Where a path leads, whether or not there is anything.
private struct ResolvedPath: Equatable {
  let components: [String]

  init(_ url: URL) {
    var rest: [String] = []
    var path = url.standardizedFileURL.path
    while true {
      if let real = realpath(path, nil) {
        components =
          String(cString: real).split(separator: "/").map(String.init) + rest.reversed()
        free(real)
        return
      }
      guard path != "/", !path.isEmpty else {
        components = rest.reversed()
        return
      }
      rest.append((path as NSString).lastPathComponent)
      path = (path as NSString).deletingLastPathComponent
    }
  }

  func contains(_ other: ResolvedPath) -> Bool {
    other.components.count > components.count && other.components.starts(with: components)
  }
}
