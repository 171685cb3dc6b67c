import Files
import Glibc

/// Memory for weights, caches and buffers, aligned to a cache line and given back with `free`.
///
/// What a model and its settings ask for can't be done without. Where the system refuses it, the
/// process ends with a line that says how much was asked for and what to lower.
enum Memory {
  /// Memory of undefined content.
  ///
  /// - Parameter byteCount: Its size; nil for one beyond all numbers.
  static func allocate(_ byteCount: Int?) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    guard let byteCount, posix_memalign(&memory, 64, max(byteCount, 64)) == 0, let memory else {
      fflush(nil)
      let size = byteCount.map { "\($0) bytes" } ?? "so many bytes"
      StandardError.write(
        "error: there is no memory for \(size); lower the context, the batch or the threads, or "
          + "choose a smaller format of weights")
      _exit(1)
    }
    return memory
  }

  /// Memory of zeros.
  static func zeros(_ byteCount: Int?) -> UnsafeMutableRawPointer {
    let memory = allocate(byteCount)
    memset(memory, 0, byteCount ?? 0)
    return memory
  }

  /// The size of `count` elements of some bytes each; nil where the product doesn't fit.
  static func size(_ count: Int, of bytes: Int) -> Int? {
    let (size, overflows) = count.multipliedReportingOverflow(by: bytes)
    return overflows || !(0...Int.max - 64).contains(size) ? nil : size
  }
}
