import Files
import Foundation

/// What a manifest says of a shard.
struct ShardEntry: Codable, Equatable {
  var file: String
  var first: Int
  var count: Int
  var tokens: Int
  /// Of the records.
  var fingerprint: UInt64

  var range: Range<Int> { first..<first + count }
}

/// A file of elements with consecutive numbers, compressed with zstd.
///
/// Uncompressed and little-endian: the kind's magic, the first number and the count in 32 bits each,
/// a fingerprint of the records in 64 bits, and the records (``ShardRecord``).
enum Shard<Element: ShardElement> {
  private static var magic: [UInt8] { Array(Element.kind.magic.utf8) }
  private static var headCount: Int { 24 }
  /// Compressed text of tokens, at zstd's default level.
  private static var level: Int { 3 }

  /// Writes a shard into a folder, all or nothing.
  static func write(_ elements: [Element], first: Int, to folder: URL) throws -> ShardEntry {
    var records = Data()
    for element in elements { ShardRecord.append(element, to: &records) }
    let print = records.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    var content = Data(magic)
    for value in [UInt32(first), UInt32(elements.count)] {
      withUnsafeBytes(of: value.littleEndian) { content.append(contentsOf: $0) }
    }
    withUnsafeBytes(of: print.littleEndian) { content.append(contentsOf: $0) }
    content.append(records)
    let name = Element.kind.fileName(first: first)
    try AtomicFile.write(
      Data(try content.withUnsafeBytes { try Zstd.compress($0, level: level) }),
      to: folder.appendingPathComponent(name))
    return ShardEntry(
      file: name, first: first, count: elements.count,
      tokens: elements.reduce(0) { $0 + $1.tokenCount }, fingerprint: print)
  }

  /// Reads the shard that a manifest's entry describes.
  static func read(_ entry: ShardEntry, in folder: URL) throws -> [Element] {
    let url = folder.appendingPathComponent(entry.file)
    func damaged(_ what: String) -> SpeculateError { ShardKind.damage(url, what) }
    let reader = try ZstdReader(url: url)
    let piece = UnsafeMutableRawBufferPointer(
      start: try Memory.take(1 << 20, for: "a shard"), count: 1 << 20)
    defer { free(piece.baseAddress) }
    var content = Data()
    do {
      while case let count = try reader.read(into: piece), count > 0 {
        content.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
        // Tokens that go round in circles shrink well, but not to nothing.
        guard content.count <= 1 << 26 + 4096 * reader.compressedSize else {
          throw damaged("is damaged")
        }
      }
    } catch {
      throw damaged("is damaged or cut short")
    }
    return try content.withUnsafeBytes { bytes in
      guard bytes.count >= headCount, bytes.starts(with: magic) else {
        throw damaged("is no shard of \(Element.kind.name)")
      }
      func number(_ offset: Int) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      }
      let told = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      let print = FileFingerprint.of(bytes: UnsafeRawBufferPointer(rebasing: bytes[headCount...]))
      let (elements, _, end) = ShardRecord<Element>.read(bytes, from: headCount)
      guard told == print, end == bytes.count, elements.count == number(12) else {
        throw damaged("is damaged")
      }
      guard number(8) == entry.first, elements.count == entry.count, print == entry.fingerprint
      else { throw damaged("is not the shard that manifest.json describes") }
      return elements
    }
  }
}
