internal import CKernels
package import Files
import Foundation

/// A tensor of a model that is converted, wherever it is stored.
package struct TensorOrigin: Sendable {
  /// Values that are widened at a time, about.
  private static let pieceSize = 1 << 20

  /// What the model calls it.
  package let name: String
  /// Its shape, outermost dimension first.
  package private(set) var shape: [Int]
  /// How its values are stored; floats of safetensors go by the types that GGUF has for them.
  package let type: GGUFTensorType

  /// The blocks of small integers that its values are rounded to; nil if they aren't.
  package let blocks: GGUFTensorType?
  /// Bytes that it takes where it is stored.
  package let byteCount: Int

  private let order: RowOrder
  /// Whether `shape` is the stored one the other way round.
  private var isTransposed = false
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
    (order, blocks) = (.plain, nil)
    byteCount = checkpoint.byteCount(of: name) ?? 0
    lend = { try checkpoint.withBytes(of: name, $0) }
  }

  /// A tensor of a folder that another one may hold among others. One that is stored [in, out] or in blocks is
  /// read as f32.
  ///
  /// - Throws: `SpeculateError` if what holds it is missing, of another shape or isn't of floats.
  package init(_ wanted: NamedShape, in checkpoint: Checkpoint) throws {
    guard let part = wanted.part else {
      try self.init(wanted.name, in: checkpoint)
      return
    }
    let published = part.name + "_blocks"
    let isPublished = checkpoint.shape(of: published) != nil
    let bytes = checkpoint.byteCount(of: isPublished ? published : part.name) ?? 0
    let share =
      Double(wanted.shape.reduce(1, *)) / Double(max(1, wanted.storedShape.reduce(1, *)))
    let ownBytes = Int(Double(bytes) * min(1, share))
    if isPublished || part.isTransposed {
      self.init(wanted, .f32, .plain, blocks: isPublished ? .mxfp4 : nil, byteCount: ownBytes) {
        let values = try CheckpointSource(checkpoint, path: checkpoint.url.path).values(wanted)
        try $0(UnsafeRawBufferPointer(start: values.base, count: 4 * values.count))
      }
    } else {
      let element = try checkpoint.type(of: part.name, shape: wanted.storedShape)
      let type: GGUFTensorType = element == .f32 ? .f32 : element == .f16 ? .f16 : .bf16
      self.init(wanted, type, part.order, blocks: nil, byteCount: ownBytes) {
        try checkpoint.withBytes(of: part.name, $0)
      }
    }
  }

  /// A tensor that is in memory, in f32.
  package init(_ named: NamedShape, _ values: FloatBuffer) {
    self.init(named, .f32, .plain, blocks: nil, byteCount: 4 * values.count) {
      try $0(UnsafeRawBufferPointer(start: values.base, count: 4 * values.count))
    }
  }

  private init(
    _ named: NamedShape, _ type: GGUFTensorType, _ order: RowOrder, blocks: GGUFTensorType?,
    byteCount: Int,
    lend: @escaping @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    (name, shape) = (named.name, named.shape)
    (self.type, self.order, self.blocks) = (type, order, blocks)
    self.byteCount = byteCount
    self.lend = lend
  }

  /// A tensor that holds others, each in its part of it, in f32.
  ///
  /// - Parameter parts: At least one; all have their part in the same tensor.
  package init(joining parts: [(tensor: NamedShape, origin: TensorOrigin)]) {
    let first = parts[0].tensor
    let shape = first.storedShape
    self.init(
      NamedShape(first.storedName, shape), .f32, .plain, blocks: parts[0].origin.blocks,
      byteCount: parts.reduce(0) { $0 + $1.origin.byteCount }
    ) {
      let whole = FloatBuffer(count: shape.reduce(1, *))
      for (tensor, origin) in parts { try origin.copy(into: whole, as: tensor) }
      try $0(UnsafeRawBufferPointer(start: whole.base, count: 4 * whole.count))
    }
  }

  /// Writes the values where a tensor that holds them has them.
  private func copy(into whole: FloatBuffer, as tensor: NamedShape) throws {
    let width = tensor.part?.rows ?? tensor.shape[0]
    let (isTransposed, first) = (tensor.part?.isTransposed == true, tensor.part?.firstInput ?? 0)
    var done = 0
    try eachPiece { values, rows in
      for row in 0..<rows {
        let place = tensor.order.place(of: done + row)
        let values = values + row * columns
        if isTransposed {
          for column in 0..<columns {
            whole.base[(first + column) * width + place] = values[column]
          }
        } else {
          (whole.base + place * columns).update(from: values, count: columns)
        }
      }
      done += rows
    }
  }

  /// The tensor with a number added to every value, in f32.
  package func adding(_ term: Float) -> TensorOrigin {
    TensorOrigin(NamedShape(name, shape), .f32, .plain, blocks: blocks, byteCount: byteCount) {
      let sums = FloatBuffer(count: rows * columns)
      var done = 0
      try eachPiece { values, rows in
        for index in 0..<rows * columns { sums.base[done + index] = values[index] + term }
        done += rows * columns
      }
      try $0(UnsafeRawBufferPointer(start: sums.base, count: 4 * sums.count))
    }
  }

  /// A tensor of a GGUF file, by itself or a part of another.
  ///
  /// - Throws: `SpeculateError` if it is of a type that nothing here reads, or of another shape.
  package init(
    _ wanted: NamedShape, _ tensor: GGUFFile.Tensor, at place: GGUFSource.Place, in file: GGUFFile
  ) throws {
    try GGUFSource(file, places: [wanted.name: place]).check(wanted)
    (name, shape, type, order) = (wanted.name, wanted.shape, tensor.type, place.order)
    blocks = tensor.type.elementType == nil ? tensor.type : nil
    let columns = wanted.shape.count > 1 ? wanted.shape[wanted.shape.count - 1] : 1
    byteCount =
      (tensor.type.rowBytes(columns: columns) ?? 0) * (wanted.shape.reduce(1, *) / columns)
    lend = { try file.withBytes(of: tensor.name, $0) }
  }

  /// The matrix the other way round: rows are columns of the stored one. It can't be handed over as it is
  /// stored.
  package var transposed: TensorOrigin {
    var origin = self
    origin.isTransposed.toggle()
    origin.shape.reverse()
    return origin
  }

  /// Columns of a row; the values of a vector are rows by themselves.
  package var columns: Int { shape.count > 1 ? shape[shape.count - 1] : 1 }
  /// Rows of all dimensions but the last.
  package var rows: Int { shape.count > 1 ? shape.dropLast().reduce(1, *) : shape.first ?? 1 }

  private var rowBytes: Int { type.rowBytes(columns: columns) ?? 0 }

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
        if isTransposed {
          try widenColumns(base, start, count, into: buffer.base)
        } else if let places {
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

  /// Widens some rows of the matrix, which are columns of the stored one.
  private func widenColumns(
    _ base: UnsafeRawPointer, _ start: Int, _ count: Int, into values: UnsafeMutablePointer<Float>
  ) throws {
    guard let element = type.elementType else {
      throw SpeculateError("tensor \(quoted(name)) of \(type) can't be transposed")
    }
    let column = FloatBuffer(count: count)
    for index in 0..<columns {
      FloatConversion.widen(
        base + (index * rows + start) * element.byteCount, as: element, into: column.base,
        count: count)
      for row in 0..<count { values[row * columns + index] = column.base[row] }
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
      guard let places else {
        return try body(UnsafeRawBufferPointer(rebasing: bytes.prefix(rows * rowBytes)))
      }
      let moved = UnsafeMutableRawBufferPointer.allocate(byteCount: rows * rowBytes, alignment: 64)
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
