internal import CKernels
import Files

/// A format whose products can take activations as they are, in f32, as well.
protocol WidenedCoding: WeightCoding {
  /// Multiplies f32 rows, so many values apart, with panels: weights are widened in registers.
  static func multiply(floats x: UnsafePointer<Float>, stride: Int, _ product: PanelProduct)
}

extension WidenedCoding {
  fileprivate static func multiply(
    _ type: ck_block_type, _ x: UnsafePointer<Float>, stride: Int, _ product: PanelProduct
  ) {
    ck_linear_blocks_f32(
      type, product.storage.assumingMemoryBound(to: UInt8.self), x, stride, product.y,
      product.stride, product.count, product.panels.lowerBound, product.panels.upperBound,
      product.rows, product.columns, product.end)
  }
}

extension BlockCoding {
  static func multiply(floats x: UnsafePointer<Float>, stride: Int, _ product: PanelProduct) {
    multiply(type, x, stride: stride, product)
  }
}

extension Int8Coding: WidenedCoding {
  static func multiply(floats x: UnsafePointer<Float>, stride: Int, _ product: PanelProduct) {
    multiply(CK_Q8_0, x, stride: stride, product)
  }
}

extension Int4Coding: WidenedCoding {
  static func multiply(floats x: UnsafePointer<Float>, stride: Int, _ product: PanelProduct) {
    multiply(CK_Q4_0, x, stride: stride, product)
  }
}

extension BFloat16Coding: WidenedCoding {
  static func multiply(floats x: UnsafePointer<Float>, stride: Int, _ product: PanelProduct) {
    ck_linear_bf16_f32(
      product.storage.assumingMemoryBound(to: UInt16.self), x, stride, product.y, product.stride,
      product.count, product.panels.lowerBound, product.panels.upperBound, product.rows,
      product.columns, product.end)
  }
}

/// A format of the same weights with products of f32 activations: to the bit what `f32` computes from
/// the widened weights, and slower where arithmetic is what a product waits for.
enum FloatActivations<Coding: WidenedCoding>: WeightCoding {
  static var name: String { "\(Coding.name) with f32 activations" }
  static var isQuantized: Bool { Coding.isQuantized }
  static var usualHead: WeightFormat { Coding.usualHead.withFloatActivations }
  static var columnLimit: Int? { Coding.columnLimit }
  static var arithmetic: Arithmetic { .f32 }
  static var activations: (any ActivationCoding.Type)? { nil }

  static func multiply(_ rows: ProductRows, _ product: PanelProduct) {
    guard case .values(let x, let stride) = rows else {
      preconditionFailure("rows are taken as they are")
    }
    Coding.multiply(floats: x, stride: stride, product)
  }

  static func panelBytes(columns: Int) -> Int { Coding.panelBytes(columns: columns) }

  static func pack(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, first: Int,
    into panel: UnsafeMutableRawPointer
  ) {
    Coding.pack(values, rows: rows, columns: columns, first: first, into: panel)
  }

  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    Coding.unpack(panel, lane: lane, columns: columns, to: values)
  }

  static func rowBytes(columns: Int) -> Int { Coding.rowBytes(columns: columns) }

  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer
  ) {
    Coding.encode(values, rows: rows, columns: columns, into: table)
  }

  static func decode(
    _ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    Coding.decode(row, columns: columns, to: values)
  }

  static func stored(
    _ name: String, in checkpoint: Checkpoint, rows: Int, columns: Int
  ) throws -> (any StoredMatrix)? {
    try Coding.stored(name, in: checkpoint, rows: rows, columns: columns)
  }

  static func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    Coding.storedParts(rows: rows, columns: columns)
  }

  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try Coding.store(values, rows: rows, columns: columns, part: part, to: sink)
  }
}

extension WeightFormat {
  /// The same weights with products of f32 activations, where products would round them.
  package var withFloatActivations: WeightFormat {
    func wrapped<Coding: WidenedCoding>(_ coding: Coding.Type) -> WeightFormat {
      WeightFormat(FloatActivations<Coding>.self)
    }
    return (coding as? any WidenedCoding.Type).map { wrapped($0) } ?? self
  }
}
