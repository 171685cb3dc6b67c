/// An owned, zeroed block of f32 values aligned to a cache line.
///
/// Run state and unpacked weights live in these. A buffer never grows: whoever needs another size
/// makes another buffer, outside the decoding loop.
package final class FloatBuffer: @unchecked Sendable {
  // Unchecked: the memory is plain; whoever shares a buffer between threads divides it into ranges.

  /// The first value; aligned to 64 bytes.
  package let base: UnsafeMutablePointer<Float>

  package let count: Int

  package init(count: Int) {
    precondition(count >= 0, "a buffer's count can't be negative")
    self.count = count
    let bytes = (max(count, 1) * MemoryLayout<Float>.stride + 63) / 64 * 64
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    base = raw.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }
}
