package import Foundation
import Glibc

/// Files that a killed process left under their temporary names.
///
/// An ``AtomicFileWriter`` holds a lock on its file while it writes: one without a lock belongs to
/// nobody any more.
package enum Leftovers {
  /// A fresh temporary name for a file.
  static func name(for name: String) -> String {
    ".\(name).\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp"
  }

  /// Whether a name is a temporary one, of a certain file if one is given.
  static func isOne(_ name: String, of file: String? = nil) -> Bool {
    guard name.hasPrefix(file.map { ".\($0)." } ?? "."), name.hasSuffix(".tmp") else {
      return false
    }
    let middle = name.dropFirst(file.map { $0.utf8.count + 2 } ?? 1).dropLast(4)
    let mark = file == nil ? middle.split(separator: ".").last ?? "" : middle
    return !mark.isEmpty && mark.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLowercase) }
  }

  /// Removes what nobody is writing any more.
  ///
  /// - Parameter age: Seconds since the last change, at least: a writer takes its lock a moment after it
  ///   makes its file.
  package static func remove(in folder: URL, of file: String? = nil, age: Double = 0) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      return
    }
    for name in names where isOne(name, of: file) {
      let path = folder.appendingPathComponent(name).path
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      var status = stat()
      if fstat(descriptor, &status) == 0, Double(time(nil) - status.st_mtim.tv_sec) >= age,
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
      {
        try? FileManager.default.removeItem(atPath: path)
      }
      close(descriptor)
    }
  }
}
