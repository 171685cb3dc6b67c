internal import CZstd
internal import Foundation

/// Compresses a stream of bytes into one zstd frame with a checksum.
package final class ZstdWriter {
  private let context: OpaquePointer
  private let output: UnsafeMutableRawBufferPointer
  private let sink: (UnsafeRawBufferPointer) throws -> Void

  /// Starts a frame.
  ///
  /// - Parameters:
  ///   - level: zstd's level, 1 (fast) to 19 (small).
  ///   - contentSize: The exact number of bytes that will be written, if known; readers then
  ///     allocate once. Writing another number is an error of `finish()`.
  ///   - sink: Takes the compressed bytes as they come.
  /// - Throws: `SpeculateError` if there is not enough memory.
  package init(
    level: Int = 3, contentSize: Int? = nil, sink: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let room = try Memory.take(ZSTD_CStreamOutSize(), for: "compression")
    guard let context = ZSTD_createCCtx() else {
      free(room)
      throw SpeculateError("not enough memory to compress")
    }
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(clamping: level))
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    if let contentSize { ZSTD_CCtx_setPledgedSrcSize(context, UInt64(contentSize)) }
    self.context = context
    self.sink = sink
    output = UnsafeMutableRawBufferPointer(start: room, count: ZSTD_CStreamOutSize())
  }

  deinit {
    ZSTD_freeCCtx(context)
    free(output.baseAddress)
  }

  /// Compresses more bytes.
  ///
  /// - Throws: what the sink throws, or `SpeculateError` if there is not enough memory.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    try compress(bytes, ZSTD_e_continue)
  }

  /// Ends the frame. Nothing may be written after it.
  ///
  /// - Throws: as `write`, and if another number of bytes was written than announced.
  package func finish() throws {
    try compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end)
  }

  private func compress(_ bytes: UnsafeRawBufferPointer, _ end: ZSTD_EndDirective) throws {
    var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
      let remaining = ZSTD_compressStream2(context, &target, &source, end)
      if ZSTD_isError(remaining) != 0 {
        throw SpeculateError("compression failed: \(String(cString: ZSTD_getErrorName(remaining)))")
      }
      if target.pos > 0 { try sink(UnsafeRawBufferPointer(rebasing: output[..<target.pos])) }
      let isDone = end == ZSTD_e_end ? remaining == 0 : source.pos == source.size
      if isDone { return }
    }
  }
}
