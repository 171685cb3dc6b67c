internal import CFiles
import Foundation

/// Memory of the system, aligned to a cache line and given back with `free`; one line where there is none.
///
/// What a user's sizes ask for is taken by functions that throw. Smaller things have no way to throw from
/// where they are made: there the program ends with the line that would have been thrown.
package enum Memory {
  /// Memory of undefined content.
  ///
  /// - Parameters:
  ///   - bytes: Its size; nil for one beyond all numbers.
  ///   - purpose: What it is for, as errors name it.
  package static func take(_ bytes: Int?, for purpose: String) throws(SpeculateError)
    -> UnsafeMutableRawPointer
  {
    var memory: UnsafeMutableRawPointer?
    // The system grants more than it has, and ends the process that uses it.
    if let bytes, bytes > 1 << 26, let available = SystemMemory.available,
      bytes > available
    {
      throw missing(bytes, for: purpose)
    }
    guard let bytes, bytes >= 0, posix_memalign(&memory, 64, max(bytes, 64)) == 0, let memory else {
      throw missing(bytes, for: purpose)
    }
    return memory
  }

  /// The same where nothing can be thrown.
  package static func takeOrExit(_ bytes: Int?, for purpose: String) -> UnsafeMutableRawPointer {
    do {
      return try take(bytes, for: purpose)
    } catch {
      fflush(nil)
      StandardError.write("error: \(error)")
      _exit(1)
    }
  }

  /// Memory of zeros, or the end of the program.
  package static func zerosOrExit(_ bytes: Int?, for purpose: String) -> UnsafeMutableRawPointer {
    let memory = takeOrExit(bytes, for: purpose)
    memset(memory, 0, bytes ?? 0)
    return memory
  }

  /// Checks that memory can be had before it is taken piece by piece.
  package static func require(_ bytes: Int, for purpose: String) throws(SpeculateError) {
    free(try take(bytes, for: purpose))
  }

  /// Gives freed memory back to the system, which the allocator keeps otherwise: takes some milliseconds.
  package static func trim() { cf_trim() }

  /// The size of `count` elements of some bytes each; nil where the product doesn't fit.
  package static func size(_ count: Int, of bytes: Int) -> Int? {
    let (size, overflows) = count.multipliedReportingOverflow(by: bytes)
    return overflows || !(0...Int.max - 64).contains(size) ? nil : size
  }

  private static func missing(_ bytes: Int?, for purpose: String) -> SpeculateError {
    SpeculateError(
      "there is no memory for \(bytes.map(String.init) ?? "so many") bytes of \(purpose): end other "
        + "programs, or take a smaller model or format")
  }
}
