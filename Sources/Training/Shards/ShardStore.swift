public import Foundation
import Tensors

/// A folder of elements: whole shards, the tail that is still growing, and a manifest.
///
/// An element depends on the settings and its number alone, so whatever an interruption or a damaged
/// file took away can be made again: numbers without one are
/// ``missing(below:)``.
public final class ShardStore<Element: ShardElement> {
  /// What the elements depend on.
  public let settings: Element.Settings

  private let folder: URL
  private let shardSize: Int
  private var shards: [ShardEntry]
  private var known: [Int: [Element]] = [:]  // by the first number of their shard
  private var repairing: [Element] = []
  private var tail: ShardTail<Element>

  private struct Manifest: Codable {
    var version: Int
    var settings: Element.Settings
    var shards: [ShardEntry]
  }

  private static var version: Int { 1 }
  private static func manifestURL(_ folder: URL) -> URL {
    folder.appendingPathComponent("manifest.json")
  }

  /// Opens a folder, or makes it.
  ///
  /// - Parameters:
  ///   - settings: What the elements are to depend on.
  ///   - shardSize: Elements of a whole shard.
  /// - Throws: When the folder was made with other settings, or a shard is damaged.
  public convenience init(
    folder: URL, settings: Element.Settings, shardSize: Int = 512
  ) throws {
    let made = FileManager.default.fileExists(atPath: Self.manifestURL(folder).path)
    let manifest =
      made
      ? try Self.manifest(in: folder)
      : Manifest(version: Self.version, settings: settings, shards: [])
    guard manifest.settings == settings else {
      throw SpeculateError(
        "\(folder.path) was made with another target, data or other settings: give the same flags, "
          + "another --output, or delete it")
    }
    try OutputFolder.make(folder)
    try self.init(folder, manifest, shardSize: shardSize)
    if !made { try writeManifest() }
  }

  /// Opens a folder that was made earlier.
  ///
  /// - Throws: When it is no such folder, or a shard is damaged.
  public convenience init(existing folder: URL) throws {
    guard FileManager.default.fileExists(atPath: Self.manifestURL(folder).path) else {
      throw SpeculateError(
        "\(folder.path) holds no \(Element.kind.name): give a folder that '\(Element.kind.command)' "
          + "wrote")
    }
    try self.init(folder, try Self.manifest(in: folder), shardSize: 512)
  }

  private init(_ folder: URL, _ manifest: Manifest, shardSize: Int) throws {
    self.folder = folder
    self.shardSize = shardSize
    settings = manifest.settings
    shards = manifest.shards
    tail = try ShardTail(Self.tailURL(folder, shards.last?.range.upperBound ?? 0))
    for shard in shards {
      let url = folder.appendingPathComponent(shard.file)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      known[shard.first] = try Shard.read(shard, in: folder)
    }
  }

  /// Numbers below `count` that have no element yet.
  public func missing(below count: Int) -> [Range<Int>] {
    let gaps = shards.filter { known[$0.first] == nil }.map(\.range)
    let end = tailStart + tail.elements.count
    return gaps + (end < count ? [end..<count] : [])
  }

  /// The elements with numbers below `count`, in order.
  public func elements(below count: Int) -> [Element] {
    precondition(missing(below: count).isEmpty, "every number has an element")
    return Array((shards.flatMap { known[$0.first] ?? [] } + tail.elements).prefix(count))
  }

  /// All numbers with an element, if none between is missing.
  public var count: Int { tailStart + tail.elements.count }

  /// Appends the element of the first missing number.
  public func append(_ element: Element) throws {
    guard let gap = shards.first(where: { known[$0.first] == nil }) else {
      try tail.append(element)
      if tail.elements.count >= shardSize { try seal() }
      return
    }
    repairing.append(element)
    guard repairing.count == gap.count else { return }
    let entry = try Shard.write(repairing, first: gap.first, to: folder)
    shards = shards.map { $0.first == gap.first ? entry : $0 }
    try writeManifest()
    known[gap.first] = repairing
    repairing = []
  }

  /// Makes sure that what was appended is on the disk.
  public func flush() throws { try tail.flush() }

  /// Turns the tail into a shard.
  public func seal() throws {
    guard !tail.elements.isEmpty else { return }
    let entry = try Shard.write(tail.elements, first: tailStart, to: folder)
    known[entry.first] = tail.elements
    shards.append(entry)
    try writeManifest()
    // Only now that the manifest names the shard.
    tail.remove()
    tail = try ShardTail(Self.tailURL(folder, tailStart))
  }

  private var tailStart: Int { shards.last?.range.upperBound ?? 0 }

  /// A name of its own for every tail: one that a crash left beside its shard is never read.
  private static func tailURL(_ folder: URL, _ first: Int) -> URL {
    folder.appendingPathComponent("tail-\(first).bin")
  }

  private func writeManifest() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try AtomicFile.write(
      try encoder.encode(Manifest(version: Self.version, settings: settings, shards: shards)),
      to: Self.manifestURL(folder))
  }

  private static func manifest(in folder: URL) throws -> Manifest {
    let url = manifestURL(folder)
    let manifest: Manifest
    do {
      manifest = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: url))
    } catch {
      throw SpeculateError(
        "\(url.path) is no manifest of \(Element.kind.name): delete the folder and make it again")
    }
    guard manifest.version == version else {
      throw SpeculateError(
        "\(url.path) has version \(manifest.version), this program reads version \(version): use "
          + "the program that wrote it")
    }
    var next = 0
    for shard in manifest.shards {
      guard shard.first == next, shard.count > 0, shard.count <= 1 << 24,
        !shard.file.contains("/")
      else {
        throw SpeculateError(
          "\(url.path) lists shards that don't follow one another: delete the folder and make it "
            + "again")
      }
      next += shard.count
    }
    return manifest
  }
}
