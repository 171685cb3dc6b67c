import Files
import Foundation

/// 64-bit words in a skippable frame of zstd, which decompressors pass over.
///
/// Little-endian: 0x184D2A50 and the byte count in 32 bits each, the words, and their fingerprint as the
/// last one.
enum WordFrame {
  private static let magic: UInt32 = 0x184D_2A50
  private static let headCount = 8

  static func bytes(_ words: [UInt64]) -> Data {
    var data = Data()
    for value in [magic, UInt32(8 * (words.count + 1))] {
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    for word in words + [print(words)] {
      withUnsafeBytes(of: word.littleEndian) { data.append(contentsOf: $0) }
    }
    return data
  }

  /// Reads a frame and moves behind it.
  ///
  /// - Returns: All words, their fingerprint included, or nil if there is no such frame or it is damaged.
  static func read(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int, words count: Int
  ) -> [UInt64]? {
    guard bytes.count - offset >= headCount + 8 * count else { return nil }
    func half(_ place: Int) -> UInt32 {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }
    let start = offset + headCount
    guard half(offset) == magic, half(offset + 4) == UInt32(8 * count) else { return nil }
    let words = (0..<count).map {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8 * $0, as: UInt64.self))
    }
    guard words[count - 1] == print(words.dropLast()) else { return nil }
    offset = start + 8 * count
    return words
  }

  static func print(_ words: some Sequence<UInt64>) -> UInt64 {
    words.map(\.littleEndian).withUnsafeBytes(FileFingerprint.of(bytes:))
  }

  /// Eight letters as a word.
  static func word(_ text: String) -> UInt64 {
    text.utf8.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
