import Files
package import Foundation

/// A folder of elements: whole shards, the tail that is still growing, and a manifest.
///
/// An element depends on the settings and its number alone, so whatever an interruption or a damaged
/// file took away can be made again: numbers without one are
/// ``missing(below:)``.
package final class ShardStore<Element: ShardElement> {
  package var settings: Element.Settings { manifest.settings }

  private let folder: URL
  private let shardSize: Int
  private var manifest: ShardManifest<Element.Settings>
  private var known: [Int: [Element]] = [:]  // by the first number of their shard
  private var repairing: [Element] = []
  private var tail: ShardTail<Element>

  private typealias Manifest = ShardManifest<Element.Settings>

  /// Opens a folder, or makes it.
  ///
  /// - Parameters:
  ///   - settings: What the elements are to depend on.
  ///   - shardSize: Elements of a whole shard.
  package convenience init(folder: URL, settings: Element.Settings, shardSize: Int = 512) throws {
    let made = Manifest.isPresent(in: folder)
    let manifest =
      made ? try Manifest(in: folder, kind: Element.kind) : Manifest(settings: settings)
    guard manifest.settings == settings else {
      throw SpeculateError(
        "\(folder.path) was made with another target, data or other settings: give the same settings, "
          + "another ‘output’, or delete it")
    }
    try OutputFolder.make(folder)
    try self.init(folder, manifest, shardSize: shardSize)
    if !made { try manifest.write(to: folder) }
  }

  /// Opens a folder that was made earlier.
  package convenience init(existing folder: URL) throws {
    guard Manifest.isPresent(in: folder) else {
      throw SpeculateError(
        "\(folder.path) holds no \(Element.kind.name): give a folder that '\(Element.kind.command)' "
          + "wrote")
    }
    try self.init(folder, try Manifest(in: folder, kind: Element.kind), shardSize: 512)
  }

  private init(_ folder: URL, _ manifest: Manifest, shardSize: Int) throws {
    self.folder = folder
    self.shardSize = shardSize
    self.manifest = manifest
    tail = try ShardTail(Self.tailURL(folder, manifest.end))
    for shard in manifest.shards {
      let url = folder.appendingPathComponent(shard.file)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      known[shard.first] = try Shard.read(shard, in: folder)
    }
  }

  /// Numbers below `count` that have no element yet.
  package func missing(below count: Int) -> [Range<Int>] {
    let gaps = manifest.shards.filter { known[$0.first] == nil }.map(\.range)
    let end = manifest.end + tail.elements.count
    return gaps + (end < count ? [end..<count] : [])
  }

  package func elements(below count: Int) -> [Element] {
    precondition(missing(below: count).isEmpty, "every number has an element")
    return Array((manifest.shards.flatMap { known[$0.first] ?? [] } + tail.elements).prefix(count))
  }

  /// All numbers with an element, if none between is missing.
  package var count: Int { manifest.end + tail.elements.count }

  func all() throws -> [Element] {
    guard missing(below: count).isEmpty else {
      throw SpeculateError(
        "shards of \(folder.path) are missing: give the '\(Element.kind.command)' command that made "
          + "it again, which makes them anew")
    }
    return elements(below: count)
  }

  /// Appends the element of the first missing number.
  package func append(_ element: Element) throws {
    guard let gap = manifest.shards.first(where: { known[$0.first] == nil }) else {
      try tail.append(element)
      if tail.elements.count >= shardSize { try seal() }
      return
    }
    repairing.append(element)
    guard repairing.count == gap.count else { return }
    let entry = try Shard.write(repairing, first: gap.first, to: folder)
    manifest.shards = manifest.shards.map { $0.first == gap.first ? entry : $0 }
    try manifest.write(to: folder)
    known[gap.first] = repairing
    repairing = []
  }

  /// Makes sure that what was appended is on the disk.
  package func flush() throws { try tail.flush() }

  /// Turns the tail into a shard.
  package func seal() throws {
    guard !tail.elements.isEmpty else { return }
    let entry = try Shard.write(tail.elements, first: manifest.end, to: folder)
    known[entry.first] = tail.elements
    manifest.shards.append(entry)
    try manifest.write(to: folder)
    // Only now that the manifest names the shard.
    tail.remove()
    tail = try ShardTail(Self.tailURL(folder, manifest.end))
  }

  /// A name of its own for every tail: one that a crash left beside its shard is never read.
  private static func tailURL(_ folder: URL, _ first: Int) -> URL {
    folder.appendingPathComponent("tail-\(first).bin")
  }
}
