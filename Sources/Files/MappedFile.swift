internal import CFiles
package import Foundation
import Glibc

/// The bytes of a file in memory, mapped or owned, valid while the object lives.
package protocol FileContents: AnyObject, Sendable {
  var bytes: UnsafeRawBufferPointer { get throws }
}

/// A whole file as read-only memory, paged in by the kernel as it is touched.
///
/// Files are replaced by renaming (`AtomicFile`), never rewritten in place. When another program
/// cuts a mapped one short all the same, the process ends with a line that names the file.
package final class MappedFile: FileContents, @unchecked Sendable {
  // Unchecked: the memory is never written and lives as long as the object.
  package let bytes: UnsafeRawBufferPointer
  private let range: UnsafeMutableRawPointer?

  /// Maps a regular file.
  ///
  /// - Throws: `SpeculateError` if the file is missing, not a regular file or not readable.
  package init(url: URL) throws {
    let file = try FileDescriptor(reading: url)
    guard file.size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      range = nil
      return
    }
    guard let memory = mmap(nil, file.size, PROT_READ, MAP_PRIVATE, file.number, 0),
      memory != MAP_FAILED
    else { throw SpeculateError("\(url.path): can't be mapped into memory: \(systemMessage())") }
    bytes = UnsafeRawBufferPointer(start: memory, count: file.size)
    range = cf_remember(memory, file.size, url.path)
  }

  deinit {
    if let range { cf_forget(range) }
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
