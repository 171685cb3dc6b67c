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
  private var repairing: [Int: Element] = [:]  // of shards that are missing, by number
  private var tail: ShardTail<Element>

  private typealias Manifest = ShardManifest<Element.Settings>

  /// Opens a folder, or makes it.
  ///
  /// - Parameters:
  ///   - settings: What the elements are to depend on.
  ///   - shardSize: Elements of a whole shard.
  package convenience init(folder: URL, settings: Element.Settings, shardSize: Int = 512) throws {
    let made = try Self.manifest(folder, settings)
    try OutputFolder.make(folder)
    Leftovers.remove(in: folder)
    let manifest = made ?? Manifest(settings: settings)
    try self.init(folder, manifest, shardSize: shardSize)
    tail.removeOthers()
    if made == nil { try manifest.write(to: folder) }
  }

  /// Says whether a folder, if it was begun, was with these settings.
  static func check(_ folder: URL, _ settings: Element.Settings) throws {
    _ = try manifest(folder, settings)
  }

  private static func manifest(_ folder: URL, _ settings: Element.Settings) throws -> Manifest? {
    guard Manifest.isPresent(in: folder) else { return nil }
    let manifest = try Manifest(in: folder, kind: Element.kind)
    guard manifest.settings == settings else {
      let difference = OutputClaim.difference(manifest.settings.named, settings.named)
      throw SpeculateError(
        "\(folder.path) was begun \(difference ?? "with other settings: give another ‘output’")")
    }
    return manifest
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
    tail = try ShardTail(in: folder, first: manifest.end, settings: manifest.settings)
    for shard in manifest.shards {
      let url = folder.appendingPathComponent(shard.file)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      known[shard.first] = try Shard.read(shard, in: folder)
    }
  }

  /// Numbers below `count` that have no element yet.
  package func missing(below count: Int) -> [Range<Int>] {
    var gaps = manifest.shards.filter { known[$0.first] == nil }.map(\.range)
    for number in manifest.end..<max(count, manifest.end) where tail.elements[number] == nil {
      if let last = gaps.last, last.upperBound == number, number > manifest.end {
        gaps[gaps.count - 1] = last.lowerBound..<number + 1
      } else {
        gaps.append(number..<number + 1)
      }
    }
    return gaps
  }

  package func elements(below count: Int) -> [Element] {
    precondition(missing(below: count).isEmpty, "every number has an element")
    return Array((manifest.shards.flatMap { known[$0.first] ?? [] } + beginning).prefix(count))
  }

  /// The elements of the tail up to the first that is missing.
  private var beginning: [Element] {
    (manifest.end...).lazy.map { self.tail.elements[$0] }.prefix { $0 != nil }.compactMap(\.self)
  }

  /// All numbers with an element up to the first without one after the shards.
  package var count: Int { manifest.end + beginning.count }

  /// All elements.
  func all() throws -> [Element] {
    guard missing(below: count).isEmpty else {
      throw SpeculateError(
        "shards of \(folder.path) are missing: give the '\(Element.kind.command)' command that made "
          + "it again, which makes them anew")
    }
    return elements(below: count)
  }

  /// Adds the element of a number without one.
  package func add(_ element: Element, number: Int) throws {
    guard let gap = manifest.shards.first(where: { $0.range.contains(number) }) else {
      try tail.append(element, number: number)
      if number == manifest.end || tail.elements[manifest.end] != nil {
        while beginning.count >= shardSize { try seal(shardSize) }
      }
      return
    }
    repairing[number] = element
    let made = gap.range.compactMap { repairing[$0] }
    guard made.count == gap.count else { return }
    let entry = try Shard.write(made, first: gap.first, to: folder)
    manifest.shards = manifest.shards.map { $0.first == gap.first ? entry : $0 }
    try manifest.write(to: folder)
    known[gap.first] = made
    for number in gap.range { repairing[number] = nil }
  }

  /// Makes sure that what was added is on the disk.
  package func flush() throws { try tail.flush() }

  /// Turns the tail into a shard, as far as no element is missing.
  ///
  /// - Parameter counts: What the manifest is to say of the elements; nil for what it says.
  package func seal(noting counts: [String: Int]? = nil) throws {
    let count = beginning.count
    if count > 0 { try seal(count) }
    guard let counts, counts != manifest.counts else { return }
    manifest.counts = counts
    try manifest.write(to: folder)
  }

  private func seal(_ count: Int) throws {
    let elements = Array(beginning.prefix(count))
    let entry = try Shard.write(elements, first: manifest.end, to: folder)
    known[entry.first] = elements
    manifest.shards.append(entry)
    try manifest.write(to: folder)
    // Only now that the manifest names the shard.
    let sealed = tail
    tail = try ShardTail(in: folder, first: manifest.end, settings: manifest.settings)
    for (number, element) in sealed.elements.sorted(by: { $0.key < $1.key })
    where number >= manifest.end && tail.elements[number] == nil {
      try tail.append(element, number: number)
    }
    try tail.flush()
    sealed.remove()
  }
}
