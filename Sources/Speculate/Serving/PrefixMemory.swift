import Files
import Foundation

/// Memory of what is kept long, apart from what comes and goes with each request.
///
/// A block among what requests take would hold the allocator's memory around it, which is then too small for the
/// next request: the process would grow to several times of what it keeps.
final class PrefixMemory {
  let base: UnsafeMutableRawPointer
  /// Bytes of a mapping; nil where the system had none left, and the allocator gave the memory.
  private let mapped: Int?

  /// - Returns: nil when there is no memory.
  init?(_ bytes: Int) {
    let mapping = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    if let mapping, mapping != MAP_FAILED {
      (base, mapped) = (mapping, bytes)
      return
    }
    guard let made = try? Memory.take(bytes, for: "keys and values") else { return nil }
    (base, mapped) = (made, nil)
  }

  deinit {
    if let mapped { munmap(base, mapped) } else { free(base) }
  }
}
