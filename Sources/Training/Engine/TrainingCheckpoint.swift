import Files
package import Foundation
import Tensors

/// Everything a training run needs to go on exactly where it was.
///
/// A safetensors file in f32: parameters under their own names, AdamW's moments under `first.` and
/// `second.` and the name; `Header`, the rest, as JSON in the file's metadata, and beside it a fingerprint of
/// header and values.
package struct TrainingCheckpoint<Header: Codable & Sendable>: Sendable {
  package let header: Header
  private let file: Checkpoint

  private static var metadataKey: String { "training" }
  private static var printKey: String { "fingerprint" }

  /// Writes a checkpoint to a temporary name, syncs it and renames it.
  ///
  /// - Parameter values: Buffers in the layout's order, each with what its tensors' names begin with.
  static func write(
    _ header: Header, layout: ParameterLayout, _ values: [(prefix: String, buffer: FloatBuffer)],
    to url: URL
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = String(decoding: try encoder.encode(header), as: UTF8.self)
    let entries = values.flatMap { prefix, buffer in
      layout.tensors(buffer, as: .f32, prefix: prefix)
    }
    var prints: [String: UInt64] = [:]
    for (prefix, buffer) in values {
      for entry in layout.entries {
        prints[prefix + entry.name] = FileFingerprint.of(
          bytes: UnsafeRawBufferPointer(
            start: buffer.base + entry.offset, count: entry.count * MemoryLayout<Float>.stride))
      }
    }
    try SafetensorsWriter.write(
      entries, metadata: [metadataKey: json, printKey: print(of: json, prints)], to: url)
  }

  /// - Throws: `SpeculateError` when the file isn't what ``write(_:layout:_:to:)`` wrote.
  package init(contentsOf url: URL) throws {
    file = try Checkpoint(file: url)
    guard let json = file.metadata[Self.metadataKey],
      let header = try? JSONDecoder().decode(Header.self, from: Data(json.utf8))
    else { throw Self.damage(url) }
    self.header = header
    guard let print = file.metadata[Self.printKey] else {
      throw SpeculateError(
        "\(url.path) has no fingerprint: it is damaged or of an earlier version; delete it and start "
          + "again")
    }
    let prints = try Dictionary(
      uniqueKeysWithValues: file.names.map { [file] name in
        (name, try file.withBytes(of: name, FileFingerprint.of(bytes:)))
      })
    guard print == Self.print(of: json, prints) else {
      let place = try Self.infinite(in: file).map { "tensor \(quoted($0)) holds \($1)" }
      throw SpeculateError(
        "\(url.path) is damaged: \(place ?? "it isn't what was written"); delete it and start again"
      )
    }
  }

  /// A value that isn't finite, which no checkpoint is written with, and its tensor.
  private static func infinite(in file: Checkpoint) throws -> (tensor: String, what: String)? {
    for name in file.names.sorted() {
      let found = try file.withBytes(of: name) { bytes in
        stride(from: 0, through: bytes.count - 4, by: 4).lazy
          .map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }.first { !$0.isFinite }
      }
      if let found { return (name, found.isNaN ? "NaN" : "infinity") }
    }
    return nil
  }

  private static func print(of header: String, _ tensors: [String: UInt64]) -> String {
    let text = tensors.sorted { $0.key < $1.key }.reduce(header) { "\($0)\n\($1.key) \($1.value)" }
    return String(Array(text.utf8).withUnsafeBytes(FileFingerprint.of(bytes:)), radix: 16)
  }

  static func damage(_ url: URL) -> SpeculateError {
    SpeculateError("\(url.path) isn't the checkpoint of a training run: delete it and start again")
  }

  /// Copies the values into a run's buffers, as they were written.
  func restore(
    _ layout: ParameterLayout, _ values: [(prefix: String, buffer: FloatBuffer)]
  ) throws {
    for entry in layout.entries {
      for (prefix, buffer) in values {
        try copy(prefix + entry.name, shape: entry.shape, to: buffer.base + entry.offset)
      }
    }
  }

  package func copy(
    _ name: String, shape: [Int], to destination: UnsafeMutablePointer<Float>
  ) throws {
    let values = try file.floats(name, shape: shape)
    destination.update(from: values.base, count: values.count)
  }
}
