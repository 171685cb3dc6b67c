import Foundation
import Tensors

/// A file of responses with consecutive numbers, compressed with zstd.
///
/// Uncompressed and little-endian: "SPSHARD1", the first number and the count in 32 bits each, a
/// fingerprint of the records in 64 bits, and the records (``ResponseRecord``).
enum ResponseShard {
  private static let magic = Array("SPSHARD1".utf8)
  private static let headCount = 24
  /// Compressed text of tokens, at zstd's default level.
  private static let level = 3

  /// What a manifest says of a shard.
  struct Entry: Codable, Equatable {
    var file: String
    var first: Int
    var count: Int
    var tokens: Int
    /// Of the records.
    var fingerprint: UInt64

    var range: Range<Int> { first..<first + count }
  }

  /// Writes a shard into a folder, all or nothing.
  static func write(_ responses: [Response], first: Int, to folder: URL) throws -> Entry {
    var records = Data()
    for response in responses { ResponseRecord.append(response, to: &records) }
    let print = records.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    var content = Data(magic)
    for value in [UInt32(first), UInt32(responses.count)] {
      withUnsafeBytes(of: value.littleEndian) { content.append(contentsOf: $0) }
    }
    withUnsafeBytes(of: print.littleEndian) { content.append(contentsOf: $0) }
    content.append(records)
    let digits = String(first)
    let name = String(repeating: "0", count: max(0, 7 - digits.count)) + digits + ".responses.zst"
    try AtomicFile.write(
      Data(try content.withUnsafeBytes { try Zstd.compress($0, level: level) }),
      to: folder.appendingPathComponent(name))
    return Entry(
      file: name, first: first, count: responses.count,
      tokens: responses.reduce(0) { $0 + $1.tokens.count }, fingerprint: print)
  }

  /// Reads the shard that a manifest's entry describes.
  ///
  /// - Throws: When it is unreadable, damaged, or another than the manifest's, naming it.
  static func read(_ entry: Entry, in folder: URL) throws -> [Response] {
    let url = folder.appendingPathComponent(entry.file)
    func damaged(_ what: String) -> SpeculateError {
      SpeculateError(
        "\(url.path) \(what): delete it and give the command that made it again, which makes it "
          + "anew")
    }
    let reader = try ZstdReader(url: url)
    var content = Data()
    do {
      let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
      defer { piece.deallocate() }
      while case let count = try reader.read(into: piece), count > 0 {
        content.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
      }
    } catch {
      throw damaged("is damaged or cut short")
    }
    return try content.withUnsafeBytes { bytes in
      guard bytes.count >= headCount, bytes.starts(with: magic) else {
        throw damaged("is no shard of responses")
      }
      func number(_ offset: Int) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      }
      let told = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      let print = FileFingerprint.of(bytes: UnsafeRawBufferPointer(rebasing: bytes[headCount...]))
      let (responses, end) = ResponseRecord.read(bytes, from: headCount)
      guard told == print, end == bytes.count, responses.count == number(12) else {
        throw damaged("is damaged")
      }
      guard number(8) == entry.first, responses.count == entry.count, print == entry.fingerprint
      else { throw damaged("is not the shard that manifest.json describes") }
      return responses
    }
  }
}
