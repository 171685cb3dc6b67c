package import Foundation
import Glibc

/// An advisory lock on a file, which ends with the process that holds it at the latest.
///
/// The system keeps the lock (`flock`), so one of a process that was killed is free at once. The file
/// holds the process's id, for whoever finds it taken, and goes with the lock.
package final class FileLock {
  private let path: String
  private let descriptor: Int32

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - url: The lock's own file.
  ///   - subject: What it protects, as errors name it.
  /// - Throws: `SpeculateError` that names the process holding it, or says why it can't be made.
  package init(_ url: URL, of subject: String) throws {
    path = url.path
    while true {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard file >= 0 else {
        throw SpeculateError("\(subject): can't be written to: \(systemMessage())")
      }
      guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        let holder = Self.holder(file)
        close(file)
        throw SpeculateError(
          code == EWOULDBLOCK
            ? "\(subject): process \(holder) is writing it; wait for that one or give another ‘output’"
            : "\(subject): can't be locked: \(systemMessage(code)); give a place on another file system"
        )
      }
      // The one that held it may have removed the file between the two calls.
      if Self.isSame(file, path) {
        descriptor = file
        break
      }
      close(file)
    }
    let text = "\(getpid())\n"
    ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  deinit {
    unlink(path)
    close(descriptor)
  }

  private static func holder(_ file: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = max(0, pread(file, &bytes, bytes.count, 0))
    let text = String(decoding: bytes[..<count], as: UTF8.self).filter(\.isNumber)
    return text.isEmpty ? "of another program" : text
  }

  private static func isSame(_ file: Int32, _ path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(file, &opened) == 0 && lstat(path, &named) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
  }
}
