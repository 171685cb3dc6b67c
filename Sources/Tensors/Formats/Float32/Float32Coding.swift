internal import CKernels
import Files

/// 32-bit floats: 4 bytes a weight.
enum Float32Coding: WeightCoding {
  static var name: String { "f32" }
  static var activations: (any ActivationCoding.Type)? { nil }

  static func multiply(_ rows: ProductRows, _ product: PanelProduct) {
    guard case .values(let x, let stride) = rows else {
      preconditionFailure("f32 takes rows as they are")
    }
    ck_linear_f32(
      product.storage.assumingMemoryBound(to: Float.self), x, stride, product.y, product.stride,
      product.count, product.panels.lowerBound, product.panels.upperBound, product.rows,
      product.columns, product.end)
  }

  static func panelBytes(columns: Int) -> Int { 4 * columns * panelRows }

  static func pack(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into panels: UnsafeMutableRawPointer
  ) {
    for row in stride(from: 0, to: rows, by: panelRows) {
      let panel = panels + row / panelRows * panelBytes(columns: columns)
      ck_pack_f32(
        values, columns, rows, columns, row, panel.assumingMemoryBound(to: Float.self))
    }
  }

  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    let weights = panel.assumingMemoryBound(to: Float.self)
    for column in 0..<columns { values[column] = weights[column * panelRows + lane] }
  }

  static func rowBytes(columns: Int) -> Int { 4 * columns }

  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer
  ) {
    table.copyMemory(from: values, byteCount: 4 * rows * columns)
  }

  static func decode(
    _ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    values.update(from: row.assumingMemoryBound(to: Float.self), count: columns)
  }

  static func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    [StoredPart(suffix: "", shape: [rows, columns], type: .f32)]
  }

  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try sink(UnsafeRawBufferPointer(start: values, count: 4 * rows * columns))
  }
}
