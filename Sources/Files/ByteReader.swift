package import Foundation

/// The bytes of a file from start to end, decompressed on the way if its name ends in `.zst`.
package final class ByteReader {
  private enum Source {
    case plain(FileDescriptor)
    case zstd(ZstdReader)
  }

  private let source: Source

  /// Opens a file.
  ///
  /// - Throws: `SpeculateError` if it is missing, no regular file or not readable.
  package init(url: URL) throws {
    source =
      url.pathExtension.lowercased() == "zst"
      ? .zstd(try ZstdReader(url: url)) : .plain(try FileDescriptor(reading: url))
  }

  /// Reads the next bytes.
  ///
  /// - Parameter buffer: Where they go.
  /// - Returns: How many came; fewer than fit only at the end, 0 after it.
  /// - Throws: `SpeculateError` if the file can't be read or its compressed data is damaged.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    switch source {
    case .plain(let file): try file.read(into: buffer)
    case .zstd(let reader): try reader.read(into: buffer)
    }
  }
}
