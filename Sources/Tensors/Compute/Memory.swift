package import Files
import Foundation

/// Memory of the system, and one line where there is none.
///
/// What a user's sizes ask for is taken by functions that throw. Smaller things have no way to throw from
/// where they are made: there the program ends with the line that would have been thrown.
package enum Memory {
  /// Memory, aligned to a cache line and not initialized; whoever takes it calls `free`.
  ///
  /// - Parameter purpose: What it is for, as errors name it.
  static func take(_ bytes: Int, for purpose: String) throws(SpeculateError)
    -> UnsafeMutableRawPointer
  {
    var memory: UnsafeMutableRawPointer?
    // The system grants more than it has, and ends the process that uses it.
    if bytes > 1 << 26, let available, bytes > available { throw missing(bytes, for: purpose) }
    guard bytes >= 0, posix_memalign(&memory, 64, max(bytes, 1)) == 0, let memory else {
      throw missing(bytes, for: purpose)
    }
    return memory
  }

  /// The same where nothing can be thrown.
  static func takeOrExit(_ bytes: Int, for purpose: String) -> UnsafeMutableRawPointer {
    do {
      return try take(bytes, for: purpose)
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(1)
    }
  }

  /// Checks that memory can be had before it is taken piece by piece.
  package static func require(_ bytes: Int, for purpose: String) throws(SpeculateError) {
    free(try take(bytes, for: purpose))
  }

  /// Bytes that can be had without taking them from other programs, as the system estimates it.
  private static var available: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else {
      return nil
    }
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    func kibibytes(_ name: String) -> Int? {
      lines.first { $0.first == "\(name):" }.flatMap { $0.count > 1 ? Int($0[1]) : nil }
    }
    return kibibytes("MemAvailable").map { 1024 * ($0 + (kibibytes("SwapFree") ?? 0)) }
  }

  static func missing(_ bytes: Int, for purpose: String) -> SpeculateError {
    SpeculateError(
      "there is no memory for \(bytes) bytes of \(purpose): end other programs, or take a smaller model "
        + "or format")
  }
}
