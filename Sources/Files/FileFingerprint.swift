package import Foundation

/// Short fingerprints that tell whether a file is still the one that something was made from.
///
/// Not for security: FNV-1a over words of 8 bytes.
package enum FileFingerprint {
  package static func of(_ url: URL) throws -> UInt64 {
    let file = try MappedFile(url: url)
    return withExtendedLifetime(file) { of(bytes: file.bytes) }
  }

  package static func of(bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = FNV1a(seed: UInt64(bytes.count))
    var offset = 0
    while offset + 8 <= bytes.count {
      hash.add(
        word: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      hash.fold(by: 29)
      offset += 8
    }
    hash.add(bytes[offset...])
    return hash.value
  }
}
