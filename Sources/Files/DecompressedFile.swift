package import Foundation

/// A zstd-compressed file, decompressed into memory of its own.
package final class DecompressedFile: FileContents, @unchecked Sendable {
  // Unchecked: the memory is not written after init and lives as long as the object.

  package let bytes: UnsafeRawBufferPointer

  /// Decompresses a whole file.
  ///
  /// - Throws: `SpeculateError` if it can't be read, is cut short, damaged or too large for memory.
  package init(url: URL) throws {
    let reader = try ZstdReader(url: url)
    // The size a header declares is a hint: a damaged one must not reserve the machine's memory.
    let hint = try reader.declaredSize() ?? 0
    var memory = try Memory(capacity: min(max(hint, 1 << 16), 1 << 32), url: url)
    var count = 0
    do {
      while true {
        let free = UnsafeMutableRawBufferPointer(
          start: memory.start + count, count: memory.capacity - count)
        let filled = try reader.read(into: free)
        count += filled
        if filled < free.count { break }
        // Full. Either this was all, or the content is longer than declared.
        var extra: UInt8 = 0
        let more = try withUnsafeMutableBytes(of: &extra) { try reader.read(into: $0) }
        if more == 0 { break }
        try memory.grow(url: url)
        memory.start.storeBytes(of: extra, toByteOffset: count, as: UInt8.self)
        count += 1
      }
    } catch {
      memory.release()
      throw error
    }
    bytes = UnsafeRawBufferPointer(start: memory.start, count: count)
  }

  deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }

  /// A block of `malloc`, which grows large blocks by moving pages, not bytes.
  private struct Memory {
    var start: UnsafeMutableRawPointer
    var capacity: Int

    init(capacity: Int, url: URL) throws {
      guard let start = malloc(capacity) else { throw Self.exhausted(url) }
      self.start = start
      self.capacity = capacity
    }

    mutating func grow(url: URL) throws {
      let (larger, overflows) = capacity.multipliedReportingOverflow(by: 2)
      guard !overflows, let moved = realloc(start, larger) else { throw Self.exhausted(url) }
      start = moved
      capacity = larger
    }

    func release() { free(start) }

    private static func exhausted(_ url: URL) -> SpeculateError {
      SpeculateError("\(url.path): not enough memory to decompress it; decompress it with zstd -d")
    }
  }
}
