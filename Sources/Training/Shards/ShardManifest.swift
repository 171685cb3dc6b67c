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
  /// What became of the elements, by name; nil where nothing is said of them.
  var counts: [String: Int]?

  /// All that is known before anything else is read.
  private struct Header: Codable { var version: Int }

  init(settings: Settings) {
    version = Self.version
    self.settings = settings
    shards = []
  }

  /// The number behind the last shard's last element.
  var end: Int { shards.last?.range.upperBound ?? 0 }

  static func isPresent(in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: url(folder).path)
  }

  /// Reads a folder's manifest.
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

  func write(to folder: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try AtomicFile.write(try encoder.encode(self), to: Self.url(folder))
  }

  private static func url(_ folder: URL) -> URL { folder.appendingPathComponent("manifest.json") }
}

/// Something that a folder of shards holds: a function of the folder's settings and its number.
package protocol ShardElement: Sendable, Equatable {
  associatedtype Settings: ShardSettings
  /// How files and messages call them.
  static var kind: ShardKind { get }
  /// As 32-bit numbers: two of its own, how many follow, and those.
  var numbers: [Int32] { get }
  /// Reads the numbers; `nil` if they are no such element.
  init?(numbers: [Int32])
  var tokenCount: Int { get }
}

/// What the elements of a folder depend on.
package protocol ShardSettings: Sendable, Equatable, Codable {
  /// The values by the settings' names (``OutputClaim/Job``).
  var named: [String: String] { get }
}

extension Array where Element: ShardElement {
  /// What tells these elements from others.
  var fingerprint: UInt64 {
    reduce(0) { $0 &* 31 &+ $1.numbers.withUnsafeBytes(FileFingerprint.of(bytes:)) }
  }
}

/// What one kind of shard is called.
package struct ShardKind: Sendable, Equatable {
  /// The first eight bytes of a shard.
  var magic: String
  /// The elements in the plural, which is also part of a shard's name.
  var name: String
  /// The command that makes them.
  var command: String

  /// What the shard is called whose first element has a number.
  func fileName(first: Int) -> String {
    let digits = String(first)
    return String(repeating: "0", count: max(0, 7 - digits.count)) + digits + ".\(name).zst"
  }

  static func damage(_ url: URL, _ what: String) -> SpeculateError {
    SpeculateError(
      "\(url.path) \(what): delete it and give the command that made it again, which makes it anew")
  }
}
