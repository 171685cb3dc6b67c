package import Files
package import Foundation

/// A folder of features of responses, each found by its tokens.
///
/// Features depend on the settings and a sequence's tokens alone, so whatever an interruption took away
/// can be made again.
package final class FeatureStore {
  package var settings: FeatureSettings { manifest.settings }
  /// The sequences whose features are there.
  package var count: Int { shards.values.reduce(0) { $0 + $1.places.count } }
  package var tokenCount: Int {
    shards.values.reduce(0) { $0 + $1.places.reduce(0) { $0 + $1.positions } }
  }

  let folder: URL
  private var manifest: ShardManifest<FeatureSettings>
  private var shards: [Int: FeatureShard] = [:]  // by their first number
  /// By the fingerprint of a sequence's tokens.
  private var places: [UInt64: (shard: FeatureShard, index: Int)] = [:]

  /// Where the features of a folder of responses lie.
  package static func folder(in responses: URL) -> URL {
    responses.appendingPathComponent("features")
  }

  /// Opens the features beside responses, or makes a folder for them.
  package convenience init(in responses: URL, settings: FeatureSettings) throws {
    let folder = Self.folder(in: responses)
    guard let made = try Self.manifest(in: folder) else {
      let manifest = ShardManifest(settings: settings)
      try OutputFolder.make(folder)
      try manifest.write(to: folder)
      try self.init(folder, manifest)
      return
    }
    try Self.check(made, folder, target: settings.target, choice: settings.choice)
    try self.init(folder, made)
  }

  /// What the outputs beside responses are rounded to; nil if there are none.
  static func precision(in responses: URL) throws -> ProductPrecision? {
    try manifest(in: folder(in: responses))?.settings.precision
  }

  /// Opens the features beside responses; nil if there are none.
  package convenience init?(in responses: URL, target: UInt64) throws {
    let folder = Self.folder(in: responses)
    guard let manifest = try Self.manifest(in: folder) else { return nil }
    try Self.check(manifest, folder, target: target, choice: manifest.settings.choice)
    try self.init(folder, manifest)
  }

  private init(_ folder: URL, _ manifest: ShardManifest<FeatureSettings>) throws {
    self.folder = folder
    self.manifest = manifest
    for entry in manifest.shards {
      let url = folder.appendingPathComponent(entry.file)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      add(try FeatureShard(entry, settings: manifest.settings, in: folder), entry)
    }
  }

  /// Says whether the features beside responses, if any, are what is wanted of them.
  static func check(in responses: URL, target: UInt64, choice: FeatureChoice?) throws {
    let folder = folder(in: responses)
    guard let manifest = try manifest(in: folder) else { return }
    try check(manifest, folder, target: target, choice: choice)
  }

  private static func check(
    _ manifest: ShardManifest<FeatureSettings>, _ folder: URL, target: UInt64,
    choice: FeatureChoice?
  ) throws {
    guard manifest.settings.target == target else {
      throw SpeculateError("\(folder.path) holds another target's features: delete it")
    }
    guard let choice, manifest.settings.fit(choice) else {
      throw SpeculateError(
        "\(folder.path) was made with \(manifest.settings.choice.settings): give just that, another "
          + "‘output’, or delete it")
    }
  }

  private static func manifest(in folder: URL) throws -> ShardManifest<FeatureSettings>? {
    guard ShardManifest<FeatureSettings>.isPresent(in: folder) else { return nil }
    let manifest = try ShardManifest<FeatureSettings>(in: folder, kind: FeatureShard.kind)
    guard manifest.settings.isSound else {
      throw SpeculateError(
        "the settings in \(folder.path)/manifest.json can't be: delete the folder and make it again"
      )
    }
    return manifest
  }

  package func contains(_ tokens: [Token]) -> Bool { places[FeatureShard.print(of: tokens)] != nil }

  /// The features of a sequence, or nil if there are none.
  package func record(of tokens: [Token]) throws -> FeatureRecord? {
    guard let place = places[FeatureShard.print(of: tokens)] else { return nil }
    let record = try place.shard.record(place.index)
    // Fingerprints of different sequences may agree.
    return record.tokens == tokens ? record : nil
  }

  /// Makes what is missing.
  ///
  /// - Parameters:
  ///   - sequences: All sequences, by number.
  ///   - make: Gives the features of a sequence, or nil to stop; a shard in the making is lost.
  /// - Returns: Whether all is there.
  func complete(_ sequences: [[Token]], make: ([Token]) throws -> FeatureRecord?) throws -> Bool {
    try checkNumbers(sequences)
    for (_, shard) in shards.sorted(by: { $0.key < $1.key }) { try shard.check() }
    Leftovers.remove(in: folder)
    for numbers in missing(below: sequences.count) {
      guard
        let entry = try FeatureShard.write(
          numbers, settings: settings, to: folder, record: { try make(sequences[$0]) })
      else { return false }
      manifest.shards.removeAll { $0.first == entry.first }
      manifest.shards.append(entry)
      manifest.shards.sort { $0.first < $1.first }
      try manifest.write(to: folder)
      add(try FeatureShard(entry, settings: settings, in: folder), entry)
    }
    return true
  }

  /// The shards to be made for numbers below `count`: those that are gone, and new ones.
  func missing(below count: Int) -> [Range<Int>] {
    let gaps = manifest.shards.map(\.range).filter {
      shards[$0.lowerBound] == nil && $0.upperBound <= count
    }
    return gaps
      + stride(from: manifest.end, to: count, by: FeatureShard.size).map {
        $0..<min($0 + FeatureShard.size, count)
      }
  }

  private func checkNumbers(_ sequences: [[Token]]) throws {
    for (first, shard) in shards {
      for (place, number) in zip(shard.places, first...) where number < sequences.count {
        guard place.tokens == FeatureShard.print(of: sequences[number]) else {
          throw SpeculateError(
            "\(folder.path) holds features of other responses than those beside it: delete it")
        }
      }
    }
  }

  private func add(_ shard: FeatureShard, _ entry: ShardEntry) {
    shards[entry.first] = shard
    for (index, place) in shard.places.enumerated() where places[place.tokens] == nil {
      places[place.tokens] = (shard, index)
    }
  }
}
