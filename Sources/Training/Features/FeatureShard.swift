import Files
import Foundation

/// A file of features of sequences with consecutive numbers, whose records can be read one by one.
///
/// zstd frames one after another, so that `zstdcat` shows the records; what is known about them stands in
/// skippable frames of 64-bit words, the last of which is a fingerprint of the others
/// (docs/formats.md). Nothing but those is read when a shard is opened: features are too many to be
/// held in memory.
final class FeatureShard: Sendable {
  /// What files and messages call them.
  static let kind = ShardKind(
    magic: "SPFEATS1", name: "features", command: "speculate distill data")
  /// Sequences of a whole shard. An interruption loses the shard in the making.
  static let size = 64
  /// Hidden states are all but random numbers, of which higher levels make no less.
  private static let level = 1

  struct Place: Sendable {
    var positions: Int
    /// Of the sequence's tokens.
    var tokens: UInt64
    /// The record's zstd frame in the file.
    var frame: Range<Int>
    /// Of that frame: compressed bytes may be altered without any effect.
    var fingerprint: UInt64
  }

  let places: [Place]
  private let settings: FeatureSettings
  private let url: URL
  private let file: MappedFile

  /// Opens the shard that a manifest's entry describes.
  init(_ entry: ShardEntry, settings: FeatureSettings, in folder: URL) throws {
    url = folder.appendingPathComponent(entry.file)
    self.settings = settings
    file = try MappedFile(url: url)
    let bytes = file.bytes
    var offset = 0
    guard let head = WordFrame.read(bytes, at: &offset, words: 7),
      head[0] == Self.magic(settings)
    else { throw ShardKind.damage(url, "is no shard of \(Self.kind.name)") }
    var (places, prints) = ([Place](), [UInt64]())
    for _ in 0..<entry.count {
      guard let words = WordFrame.read(bytes, at: &offset, words: 5), words[0] <= 1 << 24,
        words[1] <= UInt64(bytes.count - offset)
      else { throw ShardKind.damage(url, "is damaged or cut short") }
      let end = offset + Int(words[1])
      places.append(
        Place(
          positions: Int(words[0]), tokens: words[2], frame: offset..<end, fingerprint: words[3]))
      prints.append(words[4])
      offset = end
    }
    guard head == Self.head(entry.first, entry.count, settings), offset == bytes.count,
      prints.withUnsafeBytes(FileFingerprint.of(bytes:)) == entry.fingerprint
    else { throw ShardKind.damage(url, "is not the shard that manifest.json describes") }
    self.places = places
  }

  /// Reads a sequence's features.
  func record(_ index: Int) throws -> FeatureRecord {
    let place = places[index]
    let frame = UnsafeRawBufferPointer(rebasing: file.bytes[place.frame])
    guard FileFingerprint.of(bytes: frame) == place.fingerprint,
      let bytes = try? Zstd.decompress(
        frame, byteCount: FeatureRecord.byteCount(place.positions, settings))
    else { throw ShardKind.damage(url, "is damaged") }
    return FeatureRecord(bytes: bytes, positions: place.positions, settings: settings)
  }

  /// Reads all records.
  func check() throws {
    for index in places.indices { _ = try record(index) }
  }

  /// Writes a shard into a folder, all or nothing.
  ///
  /// - Parameter record: Gives the features of a sequence, or nil to give up.
  /// - Returns: Nil if `record` gave up.
  static func write(
    _ numbers: Range<Int>, settings: FeatureSettings, to folder: URL,
    record: (Int) throws -> FeatureRecord?
  ) throws -> ShardEntry? {
    let name = kind.fileName(first: numbers.lowerBound)
    let file = try AtomicFileWriter(url: folder.appendingPathComponent(name))
    func write(_ words: [UInt64]) throws { try WordFrame.bytes(words).withUnsafeBytes(file.write) }
    try write(head(numbers.lowerBound, numbers.count, settings).dropLast())
    var (positions, prints) = (0, [UInt64]())
    for number in numbers {
      guard let record = try record(number) else { return nil }
      let frame = try record.bytes.withUnsafeBytes { try Zstd.compress($0, level: level) }
      let words = [
        UInt64(record.positions), UInt64(frame.count), print(of: record.tokens),
        frame.withUnsafeBytes(FileFingerprint.of(bytes:)),
      ]
      try write(words)
      try frame.withUnsafeBytes(file.write)
      positions += record.positions
      prints.append(WordFrame.print(words))
    }
    try file.commit()
    return ShardEntry(
      file: name, first: numbers.lowerBound, count: numbers.count, tokens: positions,
      fingerprint: prints.withUnsafeBytes(FileFingerprint.of(bytes:)))
  }

  /// What tells a sequence from others.
  static func print(of tokens: [Token]) -> UInt64 {
    tokens.withUnsafeBytes(FileFingerprint.of(bytes:))
  }

  /// Programs that know f32 alone find no shard of theirs.
  private static func magic(_ settings: FeatureSettings) -> UInt64 {
    WordFrame.word(settings.rounded == .bf16 ? "SPFEATS2" : kind.magic)
  }

  private static func head(_ first: Int, _ count: Int, _ settings: FeatureSettings) -> [UInt64] {
    let words = [
      magic(settings), UInt64(first), UInt64(count), UInt64(settings.layers.count),
      UInt64(settings.hidden), UInt64(settings.logProbabilities),
    ]
    return words + [WordFrame.print(words)]
  }
}
