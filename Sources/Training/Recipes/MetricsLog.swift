public import Foundation
import Tensors

/// A log of JSON lines that can be read while the run goes on.
public final class MetricsLog {
  private let file: FileHandle
  private let encoder: JSONEncoder

  /// Opens the log at its end, or makes it.
  public init(appendingTo url: URL) throws {
    if !FileManager.default.fileExists(atPath: url.path) {
      guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
        throw SpeculateError("can't write \(url.path): check the folder and its permissions")
      }
    }
    do {
      file = try FileHandle(forWritingTo: url)
      try file.seekToEnd()
    } catch {
      throw SpeculateError("can't write \(url.path): \(error.localizedDescription)")
    }
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
  }

  deinit { try? file.close() }

  /// Appends one value as one line.
  public func append(_ value: some Encodable) throws {
    try file.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
  }
}
