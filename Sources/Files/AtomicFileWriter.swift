package import Foundation
import Glibc

/// A file written piece by piece under a temporary name that takes its own name in `commit()`.
///
/// Without `commit()` nothing is left behind once the object is released. What a killed process left
/// of the same file is removed by the next one that writes it, a minute later at the earliest.
package final class AtomicFileWriter {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  /// Creates the temporary file beside the file to be written.
  ///
  /// - Throws: `SpeculateError` if the folder is missing or can't be written.
  package init(url: URL) throws {
    path = url.path
    let folder = url.deletingLastPathComponent()
    let name = url.lastPathComponent
    Leftovers.remove(in: folder, of: name, age: 60)
    temporary = folder.appendingPathComponent(Leftovers.name(for: name)).path
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 {
      let message =
        switch errno {
        case ENOENT: "there is no folder \(folder.path); create it first"
        case EACCES, EPERM, EROFS: "the folder \(folder.path) can't be written to"
        default: systemMessage()
        }
      throw SpeculateError("\(path): can't be written: \(message)")
    }
    // Says that somebody is still writing it; where a file system can't lock, nothing is ever removed.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  deinit { abandon() }

  /// Appends bytes.
  ///
  /// - Throws: `SpeculateError` if they can't be written; the temporary file is removed.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    precondition(descriptor >= 0, "write after commit")
    guard let start = bytes.baseAddress else { return }
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, start + written, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        throw failure()
      }
      written += count
    }
  }

  /// Syncs the file, gives it its name and syncs the folder.
  ///
  /// - Throws: `SpeculateError` if any of it fails; the file of that name is then the old one.
  package func commit() throws {
    precondition(descriptor >= 0, "commit after commit")
    guard fsync(descriptor) == 0 else { throw failure() }
    guard rename(temporary, path) == 0 else { throw failure() }
    close(descriptor)
    descriptor = -1
    // The rename itself reaches the disk with the folder. Some file systems refuse to sync a
    // folder; the file is complete all the same.
    let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  private func failure() -> SpeculateError {
    let message = systemMessage()
    abandon()
    return SpeculateError("\(path): can't be written: \(message)")
  }

  private func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
    descriptor = -1
  }
}
