import Files
public import Foundation
public import Tensors

/// Everything a training run needs to go on exactly where it was.
///
/// A safetensors file in f32: parameters under their own names, AdamW's moments under `first.` and
/// `second.` and the name; `Header`, the rest, as JSON in the file's metadata.
public struct TrainingCheckpoint<Header: Codable & Sendable>: Sendable {
  /// What is known beside the values.
  public let header: Header
  private let file: Checkpoint

  private static var metadataKey: String { "training" }

  /// Writes a checkpoint to a temporary name, syncs it and renames it.
  public static func write(
    _ header: Header, layout: ParameterLayout, parameters: FloatBuffer, first: FloatBuffer,
    second: FloatBuffer, to url: URL
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = String(decoding: try encoder.encode(header), as: UTF8.self)
    let parts = [("", parameters), ("first.", first), ("second.", second)]
    let entries = parts.flatMap { prefix, buffer in
      layout.entries.map {
        SafetensorsWriter.Entry(
          name: prefix + $0.name, shape: $0.shape, type: .f32, values: buffer.base + $0.offset)
      }
    }
    try SafetensorsWriter.write(entries, metadata: [metadataKey: json], to: url)
  }

  /// Opens a checkpoint.
  ///
  /// - Throws: `SpeculateError` when the file is missing, damaged or of another kind.
  public init(contentsOf url: URL) throws {
    file = try Checkpoint(file: url)
    guard
      let json = file.metadata[Self.metadataKey],
      let header = try? JSONDecoder().decode(Header.self, from: Data(json.utf8))
    else {
      throw SpeculateError(
        "\(url.path) isn't the checkpoint of a training run: delete it and start again")
    }
    self.header = header
  }

  /// Copies the values into a run's buffers.
  ///
  /// - Throws: `SpeculateError` when a tensor is missing or has another shape.
  public func restore(
    _ layout: ParameterLayout, parameters: FloatBuffer, first: FloatBuffer, second: FloatBuffer
  ) throws {
    for entry in layout.entries {
      for (prefix, buffer) in [("", parameters), ("first.", first), ("second.", second)] {
        try copy(prefix + entry.name, shape: entry.shape, to: buffer.base + entry.offset)
      }
    }
  }

  /// Copies one tensor's values.
  ///
  /// - Throws: `SpeculateError` when it is missing or has another shape.
  public func copy(
    _ name: String, shape: [Int], to destination: UnsafeMutablePointer<Float>
  ) throws {
    let values = try file.floats(name, shape: shape)
    destination.update(from: values.base, count: values.count)
  }
}

extension URL {
  /// Where a run with this output folder keeps its checkpoint.
  var trainingCheckpoint: URL { appendingPathComponent("checkpoint.safetensors") }
}
