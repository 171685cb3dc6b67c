internal import CZstd
package import Foundation

/// A zstd-compressed file, decompressed piece by piece in bounded memory.
///
/// Reads any number of frames one after the other, as `zstd` and `pzstd` write them, and checks
/// their checksums where they have them.
package final class ZstdReader: ByteSource {
  /// The largest window a frame may ask for, as a power of two: what `zstd --long=31` writes.
  private static let windowLogLimit: Int32 = 31

  private let file: FileDescriptor
  private let path: String
  private let context: OpaquePointer
  private let input: UnsafeMutableRawBufferPointer
  private var filled = 0
  private var consumed = 0
  private var insideFrame = false
  private var sawFrame = false

  /// Compressed bytes that are read at once.
  private static let roomBytes = 1 << 17

  /// Opens a compressed file.
  ///
  /// - Throws: `SpeculateError` if it is missing or not readable.
  package init(url: URL) throws {
    file = try FileDescriptor(reading: url)
    path = url.path
    let room = try Memory.take(Self.roomBytes, for: "decompression")
    guard let context = ZSTD_createDCtx() else {
      free(room)
      throw SpeculateError("\(path): not enough memory to decompress")
    }
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogLimit)
    self.context = context
    input = UnsafeMutableRawBufferPointer(start: room, count: Self.roomBytes)
  }

  deinit {
    ZSTD_freeDCtx(context)
    free(input.baseAddress)
  }

  /// Bytes of the file as it is.
  package var compressedSize: Int { file.size }

  /// Decompresses the next bytes.
  ///
  /// - Parameter buffer: Where they go.
  /// - Returns: How many came; fewer than fit only at the end of the file, 0 after it.
  /// - Throws: `SpeculateError` if the file can't be read, is cut short or is damaged.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
    while output.pos < output.size {
      if consumed == filled {
        filled = try file.read(into: input)
        consumed = 0
        if filled == 0 {
          guard sawFrame else {
            throw SpeculateError(
              "\(path): the file is empty, not zstd data; download or make it again")
          }
          guard insideFrame else { break }
          // The decompressor may hold a rest that did not fit the last buffer.
          let before = output.pos
          var nothing = ZSTD_inBuffer(src: input.baseAddress, size: 0, pos: 0)
          try step(&output, &nothing)
          if output.pos == before && insideFrame {
            throw SpeculateError(
              "\(path): the compressed data is cut short; download or make the file again")
          }
          continue
        }
      }
      var source = ZSTD_inBuffer(src: input.baseAddress, size: filled, pos: consumed)
      try step(&output, &source)
      consumed = source.pos
    }
    return output.pos
  }

  private func step(_ output: inout ZSTD_outBuffer, _ source: inout ZSTD_inBuffer) throws {
    sawFrame = true
    let result = ZSTD_decompressStream(context, &output, &source)
    if ZSTD_isError(result) != 0 {
      let reason = String(cString: ZSTD_getErrorName(result))
      throw SpeculateError(
        "\(path): the compressed data is damaged (\(reason)); download or make the file again")
    }
    insideFrame = result != 0
  }
}
