internal import CKernels
import Files
internal import Foundation

/// An integer matrix as a converted checkpoint stores it (docs/formats.md): its values under the tensor's
/// name, I8 `[rows][columns]` or U8 `[rows][columns / 2]`, and F16 scales beside it under `…_scale`.
struct StoredIntegers<Coding: IntegerCoding>: StoredMatrix {
  let names: [String]
  private let checkpoint: Checkpoint
  private let rows: Int
  private let columns: Int
  private let order: RowOrder

  /// Looks at a tensor; nil if it is not stored as these integers.
  ///
  /// - Throws: `SpeculateError` naming the tensor when shapes or types don't fit together.
  init?(_ tensor: NamedShape, in checkpoint: Checkpoint) throws {
    let name = tensor.storedName
    rows = tensor.shape[0]
    columns = tensor.shape[1]
    order = tensor.order
    let parts = Coding.storedParts(rows: tensor.part?.rows ?? rows, columns: columns)
    guard checkpoint.storedType(of: name) == parts[0].type else { return nil }
    self.checkpoint = checkpoint
    let scaleName = name + Coding.scaleSuffix
    names = [name, scaleName]
    guard checkpoint.shape(of: name) == parts[0].shape else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(name)) has shape "
          + "\(checkpoint.shape(of: name) ?? []), but \(parts[0].shape) is needed for "
          + "\(Coding.name) weights; config.json and the weights are not of the same model")
    }
    guard checkpoint.storedType(of: scaleName) == parts[1].type,
      checkpoint.shape(of: scaleName) == parts[1].shape
    else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(scaleName)) must be F16 of shape "
          + "\(parts[1].shape), the scales of \(quoted(name)); convert the model again")
    }
  }

  func pack(into panels: UnsafeMutableRawPointer) throws {
    let bytes = Coding.panelBytes(columns: columns)
    try eachPiece(of: Coding.panelRows) { start, count, buffer in
      buffer.pack(count: count, into: panels + start / Coding.panelRows * bytes)
    }
  }

  func encode(into table: UnsafeMutableRawPointer) throws {
    let bytes = Coding.rowBytes(columns: columns)
    try eachPiece(of: 1) { row, _, buffer in Coding.encode(buffer, into: table + row * bytes) }
  }

  func floats() throws -> FloatBuffer {
    let values = FloatBuffer(count: rows * columns)
    try eachPiece(of: 1) { row, _, buffer in
      ck_widen_int8(buffer.values, buffer.scales, columns, values.base + row * columns)
    }
    return values
  }

  /// Calls `body` with the first row, the number and the content of some rows after others.
  private func eachPiece(
    of pieceRows: Int, _ body: (_ start: Int, _ count: Int, QuantizedRows) -> Void
  ) throws {
    let buffer = QuantizedRows(rows: pieceRows, columns: columns, bits: Coding.bits)
    try checkpoint.withBytes(of: names[0]) { values in
      try checkpoint.withBytes(of: names[1]) { scales in
        guard let values = values.baseAddress, let scales = scales.baseAddress else { return }
        for start in stride(from: 0, to: rows, by: pieceRows) {
          let count = min(pieceRows, rows - start)
          copy(start..<start + count, from: values, scales, to: buffer)
          body(start, count, buffer)
        }
      }
    }
  }

  private func copy(
    _ rows: Range<Int>, from values: UnsafeRawPointer, _ scales: UnsafeRawPointer,
    to target: QuantizedRows
  ) {
    let width = Coding.integerBytes(columns: columns)
    let scaleBytes = Coding.scaleBytes(columns: columns)
    for (index, row) in rows.lazy.map(order.place).enumerated() {
      UnsafeMutableRawPointer(target.scales + index * target.groups).copyMemory(
        from: scales + row * scaleBytes, byteCount: scaleBytes)
      let out = target.values + index * columns
      let source = values + row * width
      if Coding.bits == 8 {
        UnsafeMutableRawPointer(out).copyMemory(from: source, byteCount: columns)
      } else {
        ck_unpair_int4(source.assumingMemoryBound(to: UInt8.self), columns, out)
      }
    }
  }
}
