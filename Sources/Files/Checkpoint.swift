package import Foundation

/// The weights of a checkpoint: safetensors files mapped into memory, found by tensor name.
///
/// Opening reads and checks every header completely and no value; compressed data is decompressed as a
/// whole when a tensor of it is first asked for. Nothing here knows what the tensors mean.
package final class Checkpoint: Sendable {
  private typealias Entry = (tensor: SafetensorsHeader.Tensor, shard: Int)

  /// The folder or file the checkpoint was opened from, for messages.
  package let url: URL
  package let files: [URL]
  /// The names of all tensors, sorted.
  package let names: [String]
  /// The `__metadata__` of the files together; of two values for one name the first file's stays.
  package let metadata: [String: String]
  /// What opening found that the user should know.
  package let notices: [Notice]

  private let contents: [(file: any FileContents, dataStart: Int)]
  private let entries: [String: Entry]

  /// Opens the weights of a folder: what `transformers_weights` of `config.json` names, else
  /// `model.safetensors`, else `model.safetensors.zst`, else the shards named by
  /// `model.safetensors.index.json`.
  ///
  /// - Throws: `SpeculateError` if there are no such files, or one is damaged, or the index and the
  ///   shards disagree.
  package convenience init(directory: URL) throws {
    switch try CheckpointFiles(directory: directory) {
    case .single(let file, let notice):
      try self.init(
        url: directory, files: [file], index: nil, notices: [notice].compactMap { $0 })
    case .sharded(let index): try self.init(url: directory, files: index.files, index: index)
    }
  }

  /// Opens one `.safetensors` or `.safetensors.zst` file.
  ///
  /// - Throws: `SpeculateError` if it can't be read or is damaged.
  package convenience init(file: URL) throws { try self.init(url: file, files: [file], index: nil) }

  private init(
    url: URL, files: [URL], index: CheckpointIndex?, notices: [Notice] = []
  ) throws {
    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    var contents: [(file: any FileContents, dataStart: Int)] = []
    for (shard, file) in files.enumerated() {
      let header: SafetensorsHeader
      if file.pathExtension == "zst" {
        let compressed = try CompressedTensors(url: file)
        header = compressed.header
        contents.append((compressed, 0))
      } else {
        let mapped = try MappedFile(url: file)
        header = try SafetensorsHeader(mapped.bytes, path: file.path)
        contents.append((mapped, header.dataStart))
      }
      metadata.merge(header.metadata) { first, _ in first }
      for tensor in header.tensors {
        // Of a tensor in several shards the index says which one counts.
        if let named = index?.shard(of: tensor.name), named != file { continue }
        if let other = entries.updateValue((tensor, shard), forKey: tensor.name) {
          throw SpeculateError(
            "\(file.path): tensor \(quoted(tensor.name)) is in "
              + "\(files[other.shard].lastPathComponent) too; download or convert the checkpoint "
              + "again")
        }
      }
    }
    try index?.check { name in entries[name].map { files[$0.shard] } }
    self.url = url
    self.files = files
    self.notices = notices
    self.contents = contents
    self.entries = entries
    self.metadata = metadata
    names = entries.keys.sorted()
  }

  /// The same tensors by other names.
  ///
  /// - Parameter name: Gives each tensor's new name, all different.
  package func renamed(_ name: (String) -> String) -> Checkpoint {
    Checkpoint(
      self, entries: Dictionary(uniqueKeysWithValues: entries.map { (name($0.key), $0.value) }))
  }

  private init(_ other: Checkpoint, entries: [String: Entry]) {
    url = other.url
    files = other.files
    metadata = other.metadata
    notices = other.notices
    contents = other.contents
    self.entries = entries
    names = entries.keys.sorted()
  }

  /// The element type of a tensor, supported or not; nil if there is no such tensor.
  package func storedType(of name: String) -> StoredType? { entries[name]?.tensor.type }

  /// The shape of a tensor of any type; nil if there is no such tensor.
  package func shape(of name: String) -> [Int]? { entries[name]?.tensor.shape }

  /// The size of a tensor of any type; nil if there is no such tensor.
  package func byteCount(of name: String) -> Int? { entries[name]?.tensor.bytes.count }

  /// Lends the bytes of a tensor of any type, as they lie in the file: little-endian, row by row,
  /// not necessarily aligned.
  ///
  /// - Throws: `SpeculateError` if there is no such tensor, and whatever `body` throws.
  package func withBytes<R>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    guard let entry = entries[name] else { throw missing(name, shape: nil) }
    let (file, dataStart) = contents[entry.shard]
    return try withExtendedLifetime(file) {
      let start = dataStart + entry.tensor.bytes.lowerBound
      let bytes = try file.bytes[start..<start + entry.tensor.bytes.count]
      return try body(UnsafeRawBufferPointer(rebasing: bytes))
    }
  }

  /// Checks that a tensor is there, has a shape and is of a type to compute with.
  ///
  /// - Returns: Its element type.
  /// - Throws: `SpeculateError` naming the tensor and both shapes.
  package func type(of name: String, shape: [Int]) throws -> ElementType {
    guard let entry = entries[name] else { throw missing(name, shape: shape) }
    guard entry.tensor.shape == shape else {
      throw SpeculateError(
        "\(files[entry.shard].path): tensor \(quoted(name)) has shape \(entry.tensor.shape), but "
          + "\(shape) is needed; config.json and the weights are not of the same model")
    }
    guard let type = entry.tensor.type.elementType else {
      throw SpeculateError(
        "\(files[entry.shard].path): tensor \(quoted(name)) is \(entry.tensor.type.rawValue), which "
          + "is not supported; convert the checkpoint to F32, F16 or BF16")
    }
    return type
  }

  private func missing(_ name: String, shape: [Int]?) -> SpeculateError {
    let shapeText = shape.map { " of shape \($0)" } ?? ""
    return SpeculateError(
      "\(url.path): there is no tensor \(quoted(name))\(shapeText); the checkpoint is incomplete "
        + "or of another model")
  }
}
