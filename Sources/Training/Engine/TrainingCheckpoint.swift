import Files
package import Foundation
import Tensors

/// Everything a training run needs to go on exactly where it was.
///
/// A safetensors file in f32: parameters under their own names, AdamW's moments under `first.` and
/// `second.` and the name; `Header`, the rest, as JSON in the file's metadata.
package struct TrainingCheckpoint<Header: Codable & Sendable>: Sendable {
  package let header: Header
  private let file: Checkpoint

  private static var metadataKey: String { "training" }

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
    try SafetensorsWriter.write(entries, metadata: [metadataKey: json], to: url)
  }

  package init(contentsOf url: URL) throws {
    file = try Checkpoint(file: url)
    guard let json = file.metadata[Self.metadataKey],
      let header = try? JSONDecoder().decode(Header.self, from: Data(json.utf8))
    else { throw Self.damage(url) }
    self.header = header
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
