internal import CKernels
import Files

/// The upper halves of 32-bit floats, rounded to nearest even: 2 bytes a weight.
enum BFloat16Coding: WeightCoding {
  static var name: String { "bf16" }
  static var activations: (any ActivationCoding.Type)? { BFloat16Activations.self }

  static func multiply(_ rows: ProductRows, _ product: PanelProduct) {
    let weights = product.storage.assumingMemoryBound(to: UInt16.self)
    switch rows {
    case .values(let x, let stride):
      ck_linear_bf16(
        weights, x, stride, product.y, product.stride, product.count, product.panels.lowerBound,
        product.panels.upperBound, product.rows, product.columns, product.end)
    case .prepared(let x):
      ck_linear_rounded(
        weights, x.assumingMemoryBound(to: UInt16.self), product.y, product.stride, product.count,
        product.panels.lowerBound, product.panels.upperBound, product.rows, product.columns,
        product.end)
    }
  }

  /// Columns are paired.
  static func panelBytes(columns: Int) -> Int { (columns + 1) / 2 * 2 * panelRows * 2 }

  static func pack(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into panels: UnsafeMutableRawPointer
  ) {
    for row in stride(from: 0, to: rows, by: panelRows) {
      let panel = panels + row / panelRows * panelBytes(columns: columns)
      ck_pack_bf16(
        values, columns, rows, columns, row, panel.assumingMemoryBound(to: UInt16.self))
    }
  }

  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    let weights = panel.assumingMemoryBound(to: UInt16.self)
    for column in 0..<columns {
      let bits = weights[(column / 2 * panelRows + lane) * 2 + column % 2]
      values[column] = Float(bitPattern: UInt32(bits) << 16)
    }
  }

  static func rowBytes(columns: Int) -> Int { 2 * columns }

  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer
  ) {
    let count = rows * columns
    Kernels.narrow(
      values, into: table.bindMemory(to: UInt16.self, capacity: count), count: count)
  }

  static func decode(
    _ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    Kernels.widen(row.assumingMemoryBound(to: UInt16.self), into: values, count: columns)
  }

  static func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    [StoredPart(suffix: "", shape: [rows, columns], type: .bf16)]
  }

  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let bytes = 2 * rows * columns
    let out = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { out.deallocate() }
    FloatConversion.narrow(values, to: .bf16, into: out, count: rows * columns)
    try sink(UnsafeRawBufferPointer(start: out, count: bytes))
  }
}

/// Rows rounded to bf16, where the machine multiplies pairs of bf16 values.
enum BFloat16Activations: ActivationCoding {
  static var group: Int { 1 }

  /// Columns are paired.
  static func rowBytes(preparedColumns columns: Int) -> Int { (columns + 1) / 2 * 4 }

  static func isUsed(columns: Int) -> Bool { ck_takes_rounded(columns) != 0 }

  static func prepare(
    _ values: UnsafePointer<Float>, _ columns: Range<Int>, width: Int,
    into row: UnsafeMutableRawPointer
  ) {
    ck_round_rows(
      values, row.assumingMemoryBound(to: UInt16.self) + columns.lowerBound, columns.count)
  }
}
