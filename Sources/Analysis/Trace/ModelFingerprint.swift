package import Foundation
import Files

/// Tells whether a folder or a GGUF file still holds the weights that something was made with, whatever its
/// path and whenever it was written.
package enum ModelFingerprint {
  /// What is hashed at a time, several parts at once.
  private static let part = 1 << 25

  /// The fingerprint of the configuration and of every byte of the weights, in a folder or GGUF files.
  ///
  /// - Throws: `SpeculateError` if there are no weights, or a file can't be read.
  package static func of(_ model: URL) throws -> String { try of(files: files(of: model)) }

  /// The files whose bytes are meant, in their order.
  static func files(of model: URL) throws -> [URL] {
    let settings = GGUFFile.isMeant(by: model) ? [] : [model.appending(path: "config.json")]
    return settings + (try WeightFiles.of(model))
  }

  static func of(files: [URL]) throws -> String {
    var hash = FNV1a(seed: 0)
    for url in files {
      let data: Data
      do {
        data = try Data(contentsOf: url, options: .alwaysMapped)
      } catch {
        throw SpeculateError("can't read \(url.path): \(systemReason(error))")
      }
      for value in values(of: data) { hash.add(word: value) }
    }
    return String(hash.value, radix: 16)
  }

  private static func values(of data: Data) -> [UInt64] {
    let count = (data.count + part - 1) / part
    return [UInt64](unsafeUninitializedCapacity: count) { values, made in
      // Every part has a place of its own.
      nonisolated(unsafe) let values = values
      DispatchQueue.concurrentPerform(iterations: count) { index in
        data.withUnsafeBytes { bytes in
          let slice = bytes[index * part..<min((index + 1) * part, bytes.count)]
          values.initializeElement(
            at: index, to: FileFingerprint.of(bytes: UnsafeRawBufferPointer(rebasing: slice)))
        }
      }
      made = count
    }
  }
}
