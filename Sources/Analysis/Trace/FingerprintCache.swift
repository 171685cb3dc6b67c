import Files
package import Foundation

/// Fingerprints of models that were read wholly before, so that the weights of a large one needn't be read again.
///
/// An entry holds for files that are the same: their place on the disk, their size, and when they were last
/// written or changed in any other way, to the nanosecond. The last of these times is the system's; no program
/// can set it back, as `touch` can the other. An entry is lost without harm: the weights are read then.
package struct FingerprintCache: Sendable {
  private let folder: URL

  /// - Parameter folder: made when the first entry is written.
  package init(folder: URL = UserCache.folder) { self.folder = folder }

  /// What tells a file from any other, and from itself before it was changed.
  private struct Identity: Codable, Equatable {
    var path: String
    var device: UInt64
    var inode: UInt64
    var size: Int64
    /// Nanoseconds since 1970.
    var written: Int64
    var changed: Int64

    init(_ file: URL) throws {
      var status = stat()
      guard stat(file.path, &status) == 0 else {
        throw SpeculateError("can't read \(file.path): \(String(cString: strerror(errno)))")
      }
      path = file.resolvingSymlinksInPath().path
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int64(status.st_size)
      written = Self.nanoseconds(status.st_mtim)
      changed = Self.nanoseconds(status.st_ctim)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
      Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
  }

  private struct Entry: Codable {
    var files: [Identity]
    var fingerprint: String
  }

  /// Two changes within this many nanoseconds may have the same time.
  private static let youngest: Int64 = 2_000_000_000

  /// The same as ``ModelFingerprint/of(_:)``.
  ///
  /// - Parameter now: seconds since 1970. A file that was changed just before may be changed again without a
  ///   trace, so its fingerprint isn't kept.
  /// - Throws: `SpeculateError` if there are no weights, or a file can't be read.
  package func fingerprint(
    of model: URL, now: Double = Date().timeIntervalSince1970
  ) throws -> String {
    let files = try ModelFingerprint.files(of: model)
    let identities = try files.map { try Identity($0) }
    let place = entry(of: identities)
    if let data = try? Data(contentsOf: place),
      let known = try? JSONDecoder().decode(Entry.self, from: data), known.files == identities
    {
      return known.fingerprint
    }
    let fingerprint = try ModelFingerprint.of(files: files)
    let isOld = identities.allSatisfy {
      $0.changed < Int64(now * 1e9) - Self.youngest
    }
    if isOld, try files.map({ try Identity($0) }) == identities {
      try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      if let data = try? encoder.encode(Entry(files: identities, fingerprint: fingerprint)) {
        try? AtomicFile.write(data, to: place)
      }
    }
    return fingerprint
  }

  /// The entry of files: one for a place, whatever lies there.
  private func entry(of files: [Identity]) -> URL {
    let name = FNV1a(files.map(\.path).joined(separator: "\u{0}")).value
    return folder.appending(path: "fingerprint-\(String(name, radix: 16)).json")
  }
}
