internal import CKernels
package import Files

/// A tensor of a model that is converted, wherever it is stored.
package struct TensorOrigin: Sendable {
  /// Values that are widened at a time, about.
  private static let pieceSize = 1 << 20

  /// What the model calls it.
  package let name: String
  /// Its shape, outermost dimension first.
  package let shape: [Int]
  /// How its values are stored; floats of safetensors go by the types that GGUF has for them.
  package let type: GGUFTensorType

  private let order: RowOrder
  private let lend: @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// A tensor of a folder.
  ///
  /// - Throws: `SpeculateError` if it is missing or isn't of floats.
  package init(_ name: String, in checkpoint: Checkpoint) throws {
    self.name = name
    shape = checkpoint.shape(of: name) ?? []
    type =
      switch try checkpoint.type(of: name, shape: shape) {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
    order = .plain
    lend = { try checkpoint.withBytes(of: name, $0) }
  }

  /// A tensor of a GGUF file.
  ///
  /// - Throws: `SpeculateError` if it is of a type that nothing here reads.
  package init(_ name: String, _ tensor: GGUFFile.Tensor, order: RowOrder, in file: GGUFFile) throws
  {
    _ = try GGUFSource.format(of: tensor, in: file)
    self.name = name
    shape = tensor.shape
    type = tensor.type
    self.order = order
    let place = tensor.name
    lend = { try file.withBytes(of: place, $0) }
  }

  /// Columns of a row; the values of a vector are rows by themselves.
  package var columns: Int { shape.count > 1 ? shape[shape.count - 1] : 1 }
  /// Rows of all dimensions but the last.
  package var rows: Int { shape.count > 1 ? shape.dropLast().reduce(1, *) : shape.first ?? 1 }

  private var rowBytes: Int { type.rowBytes(columns: columns) ?? 0 }

  /// Bytes that it takes where it is stored.
  package var byteCount: Int { rows * rowBytes }

  /// Whether its values are rounded to blocks of small integers.
  package var isRounded: Bool { type.elementType == nil }

  /// Where the stored rows lie, in the order in which a file wants them; nil if they lie so.
  private func places(in target: RowOrder) -> [Int]? {
    guard target != order else { return nil }
    var places = [Int](repeating: 0, count: rows)
    for row in 0..<rows { places[target.place(of: row)] = order.place(of: row) }
    return places
  }

  /// Hands the rows over as f32, some at a time, in the order in which a file wants them.
  func eachPiece(
    in target: RowOrder = .plain,
    _ body: (_ values: UnsafePointer<Float>, _ rows: Int) throws -> Void
  ) throws {
    let most = max(1, min(rows, Self.pieceSize / max(1, columns)))
    let buffer = FloatBuffer(count: most * columns)
    let places = places(in: target)
    try lend { bytes in
      guard let base = bytes.baseAddress else { return }
      for start in stride(from: 0, to: rows, by: most) {
        let count = min(most, rows - start)
        if let places {
          for row in 0..<count {
            widen(base + places[start + row] * rowBytes, 1, into: buffer.base + row * columns)
          }
        } else {
          widen(base + start * rowBytes, count, into: buffer.base)
        }
        try body(buffer.base, count)
      }
    }
  }

  private func widen(
    _ source: UnsafeRawPointer, _ count: Int, into values: UnsafeMutablePointer<Float>
  ) {
    if let element = type.elementType {
      FloatConversion.widen(source, as: element, into: values, count: count * columns)
      return
    }
    for row in 0..<count {
      ck_widen_blocks(
        ck_block_type(rawValue: type.id),
        (source + row * rowBytes).assumingMemoryBound(to: UInt8.self), columns,
        values + row * columns)
    }
  }

  /// Hands the rows over as they are stored, in the order in which a file wants them.
  func eachStoredPiece(
    in target: RowOrder = .plain, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let places = places(in: target)
    try lend { bytes in
      guard let places else { return try body(bytes) }
      let moved = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
      defer { moved.deallocate() }
      for (row, place) in places.enumerated() {
        UnsafeMutableRawBufferPointer(rebasing: moved[row * rowBytes..<(row + 1) * rowBytes])
          .copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[place * rowBytes..<(place + 1) * rowBytes])
          )
      }
      try body(UnsafeRawBufferPointer(moved))
    }
  }

  /// Whether bf16 holds every value as it is.
  func fitsBF16() throws -> Bool {
    guard type != .bf16 else { return true }
    var fits = true
    try eachPiece { values, rows in
      for index in 0..<rows * columns where fits {
        let value = values[index]
        fits = FloatConversion.f32(bf16: FloatConversion.bf16(value)) == value
      }
    }
    return fits
  }
}
