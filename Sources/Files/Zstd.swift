internal import CZstd

/// zstd compression of blocks in memory; files have `ZstdReader` and `ZstdWriter`.
package enum Zstd {
  /// Compresses a block into one frame with its size and a checksum.
  ///
  /// - Throws: `SpeculateError` if there is not enough memory.
  package static func compress(_ bytes: UnsafeRawBufferPointer, level: Int = 3) throws -> [UInt8] {
    var frame: [UInt8] = []
    let writer = try ZstdWriter(level: level, contentSize: bytes.count) {
      frame.append(contentsOf: $0)
    }
    try writer.write(bytes)
    try writer.finish()
    return frame
  }

  /// Decompresses one frame of a known content size.
  ///
  /// - Parameters:
  ///   - frame: A whole frame, as `compress` makes it.
  ///   - byteCount: The size of its content.
  /// - Throws: `SpeculateError` without a file name if the frame is damaged or of another size.
  package static func decompress(
    _ frame: UnsafeRawBufferPointer, byteCount: Int
  ) throws -> [UInt8] {
    // A block of at most 128 KiB takes at least 4 bytes, so a damaged size can't reserve memory
    // beyond all measure.
    guard byteCount >= 0, byteCount >> 17 <= frame.count else {
      throw SpeculateError("the compressed data can't hold \(byteCount) bytes")
    }
    return try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      let result = ZSTD_decompress(buffer.baseAddress, byteCount, frame.baseAddress, frame.count)
      if ZSTD_isError(result) != 0 {
        throw SpeculateError(
          "the compressed data is damaged (\(String(cString: ZSTD_getErrorName(result))))")
      }
      guard result == byteCount else {
        throw SpeculateError(
          "the compressed data holds \(result) bytes, but \(byteCount) were expected")
      }
      initialized = result
    }
  }
}
