package import Foundation
import Glibc

/// The bytes of a file in memory, mapped or owned, valid while the object lives.
package protocol FileContents: AnyObject, Sendable {
  var bytes: UnsafeRawBufferPointer { get }
}

/// A whole file as read-only memory, paged in by the kernel as it is touched.
///
/// The file must not shrink while it is mapped: reading a page past its new end ends the process
/// with a bus error, which no library can turn into an error of its own. Files are therefore
/// replaced by renaming (`AtomicFile`), never rewritten in place.
package final class MappedFile: FileContents, @unchecked Sendable {
  // Unchecked: the memory is never written and lives as long as the object.

  package let bytes: UnsafeRawBufferPointer

  /// Maps a regular file.
  ///
  /// - Throws: `SpeculateError` if the file is missing, not a regular file or not readable.
  package init(url: URL) throws {
    let file = try FileDescriptor(reading: url)
    guard file.size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let memory = mmap(nil, file.size, PROT_READ, MAP_PRIVATE, file.number, 0),
      memory != MAP_FAILED
    else { throw SpeculateError("\(url.path): can't be mapped into memory: \(systemMessage())") }
    bytes = UnsafeRawBufferPointer(start: memory, count: file.size)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
