internal import CKernels
import Files

/// 32-bit floats: 4 bytes a weight.
enum Float32Coding: FloatCoding {
  static var name: String { "f32" }
  static var type: ElementType { .f32 }
  static var arithmetic: Arithmetic { .f32 }
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
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, first: Int,
    into panel: UnsafeMutableRawPointer
  ) {
    ck_pack_f32(values, columns, rows, columns, first, panel.assumingMemoryBound(to: Float.self))
  }

  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    let weights = panel.assumingMemoryBound(to: Float.self)
    for column in 0..<columns { values[column] = weights[column * panelRows + lane] }
  }
}
