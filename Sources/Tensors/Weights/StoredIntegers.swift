internal import CKernels
package import Files
internal import Foundation

/// An integer matrix as a checkpoint stores it (docs/formats.md): its values under the tensor's name,
/// I8 `[rows][columns]` or U8 `[rows][columns / 2]`, and F16 scales beside it under `…_scale`.
package struct StoredIntegers {
  /// What is appended to a tensor's name for its scales.
  package static let scaleSuffix = "_scale"

  /// int8 or int4.
  package let format: WeightFormat
  private let checkpoint: Checkpoint
  private let name: String
  private let columns: Int

  /// Looks at a tensor; nil if it is not stored as integers.
  ///
  /// - Throws: `SpeculateError` naming the tensor when shapes or types don't fit together.
  package init?(_ name: String, in checkpoint: Checkpoint, rows: Int, columns: Int) throws {
    switch checkpoint.storedType(of: name) {
    case "I8": format = .int8
    case "U8": format = .int4
    default: return nil
    }
    self.checkpoint = checkpoint
    self.name = name
    self.columns = columns
    let width = format == .int8 ? columns : (columns + 1) / 2
    let scaleName = name + Self.scaleSuffix
    let groups = WeightFormat.groups(of: columns)
    guard checkpoint.shape(of: name) == [rows, width] else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(name)) has shape "
          + "\(checkpoint.shape(of: name) ?? []), but \([rows, width]) is needed for \(format) "
          + "weights; config.json and the weights are not of the same model")
    }
    guard checkpoint.storedType(of: scaleName) == "F16",
      checkpoint.shape(of: scaleName) == [rows, groups]
    else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(scaleName)) must be F16 of shape "
          + "\([rows, groups]), the scales of \(quoted(name)); convert the model again")
    }
  }

  /// Calls `body` with a function that copies rows into a buffer.
  ///
  /// - Throws: What `body` throws.
  package func withRows<R>(
    _ body: ((_ rows: Range<Int>, _ into: QuantizedRows) -> Void) throws -> R
  ) throws -> R {
    try checkpoint.withBytes(of: name) { values in
      try checkpoint.withBytes(of: name + Self.scaleSuffix) { scales in
        try body { rows, target in copy(rows, from: values, scales, to: target) }
      }
    }
  }

  private func copy(
    _ rows: Range<Int>, from values: UnsafeRawBufferPointer, _ scales: UnsafeRawBufferPointer,
    to target: QuantizedRows
  ) {
    guard let values = values.baseAddress, let scales = scales.baseAddress else { return }
    let width = format == .int8 ? columns : (columns + 1) / 2
    let scaleBytes = 2 * target.groups
    for (index, row) in rows.enumerated() {
      UnsafeMutableRawPointer(target.scales + index * target.groups)
        .copyMemory(from: scales + row * scaleBytes, byteCount: scaleBytes)
      let out = target.values + index * columns
      let source = values + row * width
      if format == .int8 {
        UnsafeMutableRawPointer(out).copyMemory(from: source, byteCount: columns)
      } else {
        ck_unpair_int4(source.assumingMemoryBound(to: UInt8.self), columns, out)
      }
    }
  }

  /// All values as f32.
  package func floats(rows: Int) throws -> FloatBuffer {
    let buffer = FloatBuffer(count: rows * columns)
    let row = QuantizedRows(rows: 1, columns: columns, bits: format.integerBits ?? 8)
    try withRows { copy in
      for index in 0..<rows {
        copy(index..<index + 1, row)
        ck_widen_int8(row.values, row.scales, columns, buffer.base + index * columns)
      }
    }
    return buffer
  }
}
