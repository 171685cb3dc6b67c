internal import CKernels
import Files

/// The upper halves of 32-bit floats, rounded to nearest even: 2 bytes a weight.
enum BFloat16Coding: FloatCoding {
  static var name: String { "bf16" }
  static var type: ElementType { .bf16 }
  static var arithmetic: Arithmetic { .bf16 }
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
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, first: Int,
    into panel: UnsafeMutableRawPointer
  ) {
    ck_pack_bf16(values, columns, rows, columns, first, panel.assumingMemoryBound(to: UInt16.self))
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
