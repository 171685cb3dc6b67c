import Files
import Glibc

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
    let size = Memory.size(count, of: MemoryLayout<Float>.stride).map { ($0 + 63) & ~63 }
    base = Memory.zerosOrExit(size, for: "values").bindMemory(to: Float.self, capacity: count)
  }

  deinit { free(base) }
}
