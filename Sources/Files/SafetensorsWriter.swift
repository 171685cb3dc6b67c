package import Foundation

/// Writes safetensors files that the reference library reads.
package enum SafetensorsWriter {
  package struct Entry {
    package let name: String
    /// Its shape, outermost dimension first.
    package let shape: [Int]
    let payload: Payload

    /// Takes the next bytes of a tensor.
    package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    enum Payload {
      case floats(UnsafePointer<Float>, ElementType)
      case integers([Int64])
      case streamed(StoredType, (Sink) throws -> Void)
    }

    /// A tensor of f32 values, rounded to `type` as they are written.
    ///
    /// - Parameters:
    ///   - name: The tensor's name.
    ///   - shape: Its shape.
    ///   - type: The type to store.
    ///   - values: The product of `shape` values, row by row, alive until `write` returns.
    package init(name: String, shape: [Int], type: ElementType, values: UnsafePointer<Float>) {
      self.name = name
      self.shape = shape
      payload = .floats(values, type)
    }

    /// A vector of integers, stored as I64.
    package init(name: String, integers: [Int]) {
      self.name = name
      shape = [integers.count]
      payload = .integers(integers.map(Int64.init))
    }

    /// A tensor that hands over its bytes, in order, when its turn comes; little of it need be in memory.
    package init(
      name: String, shape: [Int], type: StoredType, bytes: @escaping (Sink) throws -> Void
    ) {
      self.name = name
      self.shape = shape
      payload = .streamed(type, bytes)
    }

    var type: StoredType {
      switch payload {
      case .floats(_, let type): StoredType(type)
      case .integers: .i64
      case .streamed(let type, _): type
      }
    }

    var count: Int { shape.reduce(1, *) }
    var byteCount: Int { count * type.bitCount / 8 }
  }

  /// Values converted at a time.
  private static let chunk = 1 << 18

  /// Writes a file: under a temporary name, synced, renamed. A name ending in `.zst` compresses.
  ///
  /// As the reference does, tensors are laid out by falling element size, then by name, so that
  /// each is aligned to its elements.
  ///
  /// - Parameters:
  ///   - entries: The tensors; names must differ.
  ///   - metadata: The `__metadata__` of the file; none if empty.
  ///   - url: The file.
  /// - Throws: `SpeculateError` if a name is used twice or reserved, or the file can't be written.
  package static func write(
    _ entries: [Entry], metadata: [String: String] = [:], to url: URL
  ) throws {
    let ordered = entries.sorted { ($1.type.bitCount, $0.name) < ($0.type.bitCount, $1.name) }
    let header = try header(of: ordered, metadata: metadata, path: url.path)
    let size = ordered.reduce(header.count) { $0 + $1.byteCount }
    let file = try AtomicFileWriter(url: url)
    if url.pathExtension == "zst" {
      let compressor = try ZstdWriter(contentSize: size) { try file.write($0) }
      try write(header, ordered) { try compressor.write($0) }
      try compressor.finish()
    } else {
      try write(header, ordered) { try file.write($0) }
    }
    try file.commit()
  }

  private static func write(
    _ header: [UInt8], _ entries: [Entry], to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try header.withUnsafeBytes(sink)
    let start = try Memory.take(4 * chunk, for: "a file being written")
    defer { free(start) }
    for entry in entries {
      switch entry.payload {
      case .integers(let integers): try integers.withUnsafeBytes(sink)
      case .streamed(_, let bytes):
        var written = 0
        try bytes {
          written += $0.count
          try sink($0)
        }
        precondition(written == entry.byteCount, "a tensor must hand over just its bytes")
      case .floats(let values, let type):
        for first in stride(from: 0, to: entry.count, by: chunk) {
          let count = min(chunk, entry.count - first)
          FloatConversion.narrow(values + first, to: type, into: start, count: count)
          try sink(UnsafeRawBufferPointer(start: start, count: count * type.byteCount))
        }
      }
    }
  }

  /// The header with its length before it, padded to a multiple of 8 bytes.
  private static func header(
    of entries: [Entry], metadata: [String: String], path: String
  ) throws -> [UInt8] {
    var names: Set<String> = []
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(jsonLiteral($0.key)):\(jsonLiteral($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for entry in entries {
      precondition(entry.shape.allSatisfy { $0 >= 0 }, "a shape can't have negative entries")
      guard entry.name != "__metadata__", names.insert(entry.name).inserted else {
        throw SpeculateError(
          "\(path): can't be written: the tensor name \(quoted(entry.name)) is "
            + (entry.name == "__metadata__" ? "reserved" : "used twice"))
      }
      let end = offset + entry.byteCount
      let shape = entry.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(jsonLiteral(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    guard text.count <= SafetensorsHeader.sizeLimit else {
      throw SpeculateError("\(path): can't be written: the names of its tensors are too long")
    }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }
}
