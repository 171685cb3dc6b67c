import Foundation

/// A zstd-compressed safetensors file, whose data lies in memory of its own once it is asked for.
///
/// The header is read first, in memory that the file's size bounds. No more is decompressed than the
/// header describes.
final class CompressedTensors: FileContents, @unchecked Sendable {
  // Unchecked: the lock guards what changes, and the memory is not written once it is lent.

  let header: SafetensorsHeader
  private let url: URL
  private let lock = NSLock()
  private var data: UnsafeMutableRawBufferPointer?
  private let reader: ZstdReader

  /// Reads and checks the header.
  ///
  /// - Throws: `SpeculateError` if the file can't be read, or the header is damaged or describes more
  ///   than a file of this size can hold.
  init(url: URL) throws {
    self.url = url
    reader = try ZstdReader(url: url)
    header = try SafetensorsHeader(reader, compressedSize: reader.compressedSize, path: url.path)
  }

  deinit { free(data?.baseAddress) }

  /// The data behind the header.
  ///
  /// - Throws: `SpeculateError` if it is cut short, damaged, of another size than the header says, or too
  ///   large for the machine's memory.
  var bytes: UnsafeRawBufferPointer {
    get throws {
      try lock.withLock {
        if let data { return UnsafeRawBufferPointer(data) }
        let size = header.dataSize
        guard size <= SystemMemory.available ?? .max, let start = malloc(max(size, 1)) else {
          throw SpeculateError(
            "\(url.path): decompressing it takes \(size) bytes of memory, which this machine doesn't "
              + "have free; decompress the file with zstd -d")
        }
        let memory = UnsafeMutableRawBufferPointer(start: start, count: size)
        do {
          try fill(memory)
        } catch {
          free(start)
          throw error
        }
        data = memory
        return UnsafeRawBufferPointer(memory)
      }
    }
  }

  private func fill(_ memory: UnsafeMutableRawBufferPointer) throws {
    let filled = try reader.read(into: memory)
    var byte: UInt8 = 0
    let more = try withUnsafeMutableBytes(of: &byte) { try reader.read(into: $0) }
    guard filled == memory.count, more == 0 else {
      throw SpeculateError(
        "\(url.path): \(more > 0 ? "more" : "\(filled)") bytes of data follow the header, which "
          + "describes \(memory.count); the file is damaged or incomplete: download or convert it "
          + "again")
    }
  }
}
