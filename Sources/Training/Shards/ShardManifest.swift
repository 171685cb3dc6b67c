import Files
import Foundation

/// What a folder of shards says of itself, in `manifest.json`.
struct ShardManifest<Settings: Codable & Equatable>: Codable {
  /// The version that this program reads and writes.
  static var version: Int { 1 }

  var version: Int
  /// What the contents depend on.
  var settings: Settings
  /// The shards, each following the one before.
  var shards: [ShardEntry]

  /// All that is known before anything else is read.
  private struct Header: Codable {
    var version: Int
  }

  /// The manifest of an empty folder.
  init(settings: Settings) {
    version = Self.version
    self.settings = settings
    shards = []
  }

  /// The number behind the last shard's last element.
  var end: Int { shards.last?.range.upperBound ?? 0 }

  /// Whether a folder has a manifest.
  static func isPresent(in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: url(folder).path)
  }

  /// Reads a folder's manifest.
  ///
  /// - Throws: When it is unreadable, of another version, or its shards don't follow one another.
  init(in folder: URL, kind: ShardKind) throws {
    let url = Self.url(folder)
    func damaged() -> SpeculateError {
      SpeculateError(
        "\(url.path) is no manifest of \(kind.name): delete the folder and make it again")
    }
    // Another version may have other settings.
    guard let content = try? Data(contentsOf: url),
      let header = try? JSONDecoder().decode(Header.self, from: content)
    else { throw damaged() }
    guard header.version == Self.version else {
      throw SpeculateError(
        "\(url.path) has version \(header.version), this program reads version \(Self.version): use "
          + "the program that wrote it")
    }
    guard let manifest = try? JSONDecoder().decode(Self.self, from: content) else {
      throw damaged()
    }
    var next = 0
    for shard in manifest.shards {
      guard shard.first == next, shard.count > 0, shard.count <= 1 << 24,
        (0...1 << 40).contains(shard.tokens), !shard.file.contains("/")
      else {
        throw SpeculateError(
          "\(url.path) lists shards that don't follow one another: delete the folder and make it "
            + "again")
      }
      next += shard.count
    }
    self = manifest
  }

  /// Replaces a folder's manifest.
  func write(to folder: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try AtomicFile.write(try encoder.encode(self), to: Self.url(folder))
  }

  private static func url(_ folder: URL) -> URL { folder.appendingPathComponent("manifest.json") }
}
