import Foundation
import Glibc

/// The bytes of a file from start to end.
protocol ByteSource: AnyObject {
  /// Reads up to `buffer.count` bytes; fewer only at the end of the file, 0 behind it.
  ///
  /// - Throws: `SpeculateError` if the file can't be read or its compressed data is damaged.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// An open regular file for reading, closed with the object.
final class FileDescriptor: ByteSource {
  let number: Int32
  let size: Int
  private let path: String

  /// Opens a regular file.
  ///
  /// - Throws: `SpeculateError` if it is missing, a folder or another kind of file, or not readable.
  init(reading url: URL) throws {
    path = url.path
    // O_NONBLOCK: opening a FIFO must not wait for a writer; it has no effect on regular files.
    number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else {
      let message =
        switch errno {
        case ENOENT: "no such file; check the path"
        case EACCES: "can't be read: permission denied; check its permissions"
        default: "can't be opened: \(systemMessage())"
        }
      throw SpeculateError("\(path): \(message)")
    }
    var status = stat()
    guard fstat(number, &status) == 0 else {
      let message = systemMessage()
      close(number)
      throw SpeculateError("\(path): can't be examined: \(message)")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: size = Int(status.st_size)
    case S_IFDIR:
      close(number)
      throw SpeculateError("\(path): is a folder; give a file")
    default:
      close(number)
      throw SpeculateError("\(path): is not a regular file; give a file")
    }
  }

  deinit { close(number) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let start = buffer.baseAddress else { return 0 }
    var filled = 0
    while filled < buffer.count {
      let count = Glibc.read(number, start + filled, buffer.count - filled)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw SpeculateError("\(path): can't be read: \(systemMessage())")
      }
      filled += count
    }
    return filled
  }
}
