package import Foundation

/// Writes GGUF files, version 3, that the reference library reads.
package enum GGUFWriter {
  /// One tensor to be written.
  package struct Entry {
    /// The tensor's name.
    package let name: String
    /// How its values are stored.
    package let type: GGUFTensorType
    /// Its shape, outermost dimension first.
    package let shape: [Int]
    let bytes: (Sink) throws -> Void

    /// Takes the next bytes of a tensor.
    package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    /// A tensor that hands over its bytes, in order, when its turn comes; little of it need be in
    /// memory.
    ///
    /// - Precondition: At most four dimensions, and rows of whole blocks.
    package init(
      name: String, type: GGUFTensorType, shape: [Int], bytes: @escaping (Sink) throws -> Void
    ) {
      precondition(shape.count <= 4, "a tensor has at most four dimensions")
      precondition(
        shape.allSatisfy { $0 >= 0 } && type.rowBytes(columns: shape.last ?? 1) != nil,
        "rows must be whole blocks")
      self.name = name
      self.type = type
      self.shape = shape
      self.bytes = bytes
    }

    var byteCount: Int {
      shape.dropLast().reduce(1, *) * (type.rowBytes(columns: shape.last ?? 1) ?? 0)
    }
  }

  /// Writes a file: under a temporary name, synced, renamed.
  ///
  /// - Parameters:
  ///   - metadata: Keys and values in the order of the file. An alignment among them, of type uint32,
  ///     is obeyed.
  ///   - entries: The tensors, in the order of the file; names must differ.
  ///   - url: The file.
  /// - Throws: `SpeculateError` if a key or name is used twice or the file can't be written, and what a
  ///   tensor throws.
  package static func write(
    metadata: [(key: String, value: GGUFValue)], _ entries: [Entry], to url: URL
  ) throws {
    try check(metadata.map(\.key), "metadata key", url)
    try check(entries.map(\.name), "tensor name", url)
    let alignment = try alignment(metadata, url)
    func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    var header = Array("GGUF".utf8)
    append(UInt32(3), to: &header)
    append(UInt64(entries.count), to: &header)
    append(UInt64(metadata.count), to: &header)
    for (key, value) in metadata {
      append(key, to: &header)
      append(value.type.rawValue, to: &header)
      value.encode(into: &header)
    }
    var offset = 0
    for entry in entries {
      append(entry.name, to: &header)
      append(UInt32(entry.shape.count), to: &header)
      for size in entry.shape.reversed() { append(UInt64(size), to: &header) }
      append(entry.type.id, to: &header)
      append(UInt64(offset), to: &header)
      offset = padded(offset + entry.byteCount)
    }
    header.append(contentsOf: repeatElement(0, count: padded(header.count) - header.count))

    let file = try AtomicFileWriter(url: url)
    try header.withUnsafeBytes { try file.write($0) }
    for entry in entries {
      var written = 0
      try entry.bytes {
        written += $0.count
        try file.write($0)
      }
      precondition(written == entry.byteCount, "a tensor must hand over just its bytes")
      let padding = [UInt8](repeating: 0, count: padded(written) - written)
      try padding.withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
  }

  private static func check(_ names: [String], _ kind: String, _ url: URL) throws {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw SpeculateError(
        "\(url.path): can't be written: the \(kind) \(quoted(name)) is used twice")
    }
  }

  private static func alignment(
    _ metadata: [(key: String, value: GGUFValue)], _ url: URL
  ) throws -> Int {
    guard let value = metadata.first(where: { $0.key == GGUFHeader.alignmentKey })?.value else {
      return GGUFHeader.usualAlignment
    }
    guard case .uint32(let alignment) = value, alignment > 0, alignment <= 1 << 30,
      alignment & (alignment - 1) == 0
    else {
      throw SpeculateError(
        "\(url.path): can't be written: \(GGUFHeader.alignmentKey) must be a power of two up to 2^30"
      )
    }
    return Int(alignment)
  }
}

private func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
}

private func append(_ text: String, to bytes: inout [UInt8]) {
  append(UInt64(text.utf8.count), to: &bytes)
  bytes.append(contentsOf: text.utf8)
}

extension GGUFValue {
  /// Appends the value as files have it, without its type.
  func encode(into bytes: inout [UInt8]) {
    switch self {
    case .uint8(let value): append(value, to: &bytes)
    case .int8(let value): append(value, to: &bytes)
    case .uint16(let value): append(value, to: &bytes)
    case .int16(let value): append(value, to: &bytes)
    case .uint32(let value): append(value, to: &bytes)
    case .int32(let value): append(value, to: &bytes)
    case .uint64(let value): append(value, to: &bytes)
    case .int64(let value): append(value, to: &bytes)
    case .float32(let value): append(value.bitPattern, to: &bytes)
    case .float64(let value): append(value.bitPattern, to: &bytes)
    case .bool(let value): bytes.append(value ? 1 : 0)
    case .string(let value): append(value, to: &bytes)
    case .array(let array):
      append(array.elementType.rawValue, to: &bytes)
      append(UInt64(array.count), to: &bytes)
      array.withBytes { bytes.append(contentsOf: $0) }
    }
  }
}
