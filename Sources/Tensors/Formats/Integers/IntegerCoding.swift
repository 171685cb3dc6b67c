internal import CKernels
import Files

/// 8-bit integers in groups of 32 columns with an f16 scale each: 8.5 bits a weight.
enum Int8Coding: IntegerCoding {
  static var name: String { "int8" }
  static var bits: Int { 8 }
}

/// 4-bit integers in groups of 32 columns with an f16 scale each: 4.5 bits a weight.
enum Int4Coding: IntegerCoding {
  static var name: String { "int4" }
  static var bits: Int { 4 }
  static var usualHead: WeightFormat { .int8 }
}

/// Small integers whose groups of 32 columns have an f16 scale each (docs/formats.md); activations are
/// quantised to 8 bits alike. Nothing but the width of an integer differs between the formats.
protocol IntegerCoding: WeightCoding, ActivationCoding {
  /// Bits of a weight: 8 or 4.
  static var bits: Int { get }
}

extension WeightFormat {
  /// Columns that share a scale in the integer formats.
  package static let groupSize = Int(CK_GROUP)
}

extension IntegerCoding {
  static var isQuantized: Bool { true }
  static var columnLimit: Int? { Int(CK_QUANTIZED_MAX_COLUMNS) }
  static var arithmetic: Arithmetic { bits == 4 ? .int4 : .int8 }
  static var activations: (any ActivationCoding.Type)? { Self.self }

  static func multiply(_ rows: ProductRows, _ product: PanelProduct) {
    let weights = product.storage.assumingMemoryBound(to: UInt8.self)
    switch rows {
    case .values(let x, let stride):
      ck_linear_integers(
        Int32(bits), weights, x, stride, product.y, product.stride, product.count,
        product.panels.lowerBound, product.panels.upperBound, product.rows, product.columns,
        product.end)
    case .prepared(let x):
      ck_linear_quantized(
        Int32(bits), weights, x.assumingMemoryBound(to: UInt8.self), product.y, product.stride,
        product.count, product.panels.lowerBound, product.panels.upperBound, product.rows,
        product.columns, product.end)
    }
  }

  static func panelBytes(columns: Int) -> Int { ck_quantized_panel_bytes(Int32(bits), columns) }

  static func pack(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, first: Int,
    into panel: UnsafeMutableRawPointer
  ) {
    let count = min(panelRows, rows - first)
    let buffer = QuantizedRows(rows: count, columns: columns, bits: bits)
    buffer.quantize(values + first * columns, count: count)
    buffer.pack(count: count, into: panel)
  }

  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    ck_unpack_quantized(
      Int32(bits), panel.assumingMemoryBound(to: UInt8.self), lane, columns, values)
  }

  // A row by itself is its f16 scales and then its integers, an even number of bytes.

  static func rowBytes(columns: Int) -> Int {
    scaleBytes(columns: columns) + (integerBytes(columns: columns) + 1) / 2 * 2
  }

  /// Bytes of a row's scales.
  static func scaleBytes(columns: Int) -> Int { 2 * QuantizedRows.groups(of: columns) }

  /// Bytes of a row's integers.
  static func integerBytes(columns: Int) -> Int { bits == 8 ? columns : (columns + 1) / 2 }

  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer
  ) {
    let buffer = QuantizedRows(rows: 1, columns: columns, bits: bits)
    for row in 0..<rows {
      buffer.quantize(values + row * columns, count: 1)
      encode(buffer, into: table + row * rowBytes(columns: columns))
    }
  }

  /// Writes the one row of `buffer` as an embedding holds it.
  static func encode(_ buffer: QuantizedRows, into row: UnsafeMutableRawPointer) {
    let scales = UnsafeMutableRawBufferPointer(
      start: row, count: scaleBytes(columns: buffer.columns))
    let integers = UnsafeMutableRawBufferPointer(
      start: row + scales.count, count: integerBytes(columns: buffer.columns))
    buffer.withScales(1) { scales.copyMemory(from: $0) }
    buffer.withValues(1) { integers.copyMemory(from: $0) }
  }

  static func decode(
    _ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    let scales = row.assumingMemoryBound(to: UInt16.self)
    let integers = row + scaleBytes(columns: columns)
    if bits == 8 {
      ck_widen_int8(integers.assumingMemoryBound(to: Int8.self), scales, columns, values)
    } else {
      ck_widen_int4(integers.assumingMemoryBound(to: UInt8.self), scales, columns, values)
    }
  }

  static func stored(
    _ name: String, in checkpoint: Checkpoint, rows: Int, columns: Int
  ) throws -> (any StoredMatrix)? {
    try StoredIntegers<Self>(name, in: checkpoint, rows: rows, columns: columns)
  }

  static func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    [
      StoredPart(
        suffix: "", shape: [rows, integerBytes(columns: columns)], type: bits == 8 ? .i8 : .u8),
      StoredPart(
        suffix: scaleSuffix, shape: [rows, QuantizedRows.groups(of: columns)], type: .f16),
    ]
  }

  /// What is appended to a tensor's name for its scales.
  static var scaleSuffix: String { "_scale" }

  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let buffer = QuantizedRows(rows: rows, columns: columns, bits: bits)
    buffer.quantize(values, count: rows)
    if part == 0 {
      try buffer.withValues(rows, sink)
    } else {
      try buffer.withScales(rows, sink)
    }
  }

  // MARK: Activations

  static var group: Int { Int(CK_GROUP) }

  static func rowBytes(preparedColumns columns: Int) -> Int { ck_quantized_row_bytes(columns) }

  static func isUsed(columns: Int) -> Bool { true }

  static func prepare(
    _ values: UnsafePointer<Float>, _ columns: Range<Int>, width: Int,
    into row: UnsafeMutableRawPointer
  ) {
    ck_quantize_activations(
      Int32(bits), values, columns.lowerBound, columns.count, width,
      row.assumingMemoryBound(to: UInt8.self))
  }
}
