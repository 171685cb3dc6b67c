internal import CKernels
import Files

/// A format whose products can take activations as they are, in f32, as well: weights are widened in
/// registers.
protocol WidenedCoding: WeightCoding {
  /// The type of blocks whose panels these are.
  static var widenedType: ck_block_type { get }
}

extension BlockCoding {
  static var widenedType: ck_block_type { type }
}

extension Int8Coding: WidenedCoding {
  static var widenedType: ck_block_type { CK_Q8_0 }
}

extension Int4Coding: WidenedCoding {
  static var widenedType: ck_block_type { CK_Q4_0 }
}

/// A format of the same weights with products of f32 activations: to the bit what `f32` computes from
/// the widened weights, and slower where arithmetic is what a product waits for.
enum FloatActivations<Coding: WidenedCoding>: WeightCoding {
  static var name: String { "\(Coding.name) with f32 activations" }
  static var isQuantized: Bool { Coding.isQuantized }
  static var usualHead: WeightFormat { Coding.usualHead.withFloatActivations }
  static var columnLimit: Int? { Coding.columnLimit }
  static var activations: (any ActivationCoding.Type)? { nil }

  static func multiply(_ rows: ProductRows, _ product: PanelProduct) {
    guard case .values(let x, let stride) = rows else {
      preconditionFailure("rows are taken as they are")
    }
    ck_linear_blocks_f32(
      Coding.widenedType, product.storage.assumingMemoryBound(to: UInt8.self), x, stride,
      product.y, product.stride, product.count, product.panels.lowerBound,
      product.panels.upperBound, product.rows, product.columns, product.end)
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
  /// The same weights with products of f32 activations, where products would quantise them.
  package var withFloatActivations: WeightFormat {
    func wrapped<Coding: WidenedCoding>(_ coding: Coding.Type) -> WeightFormat {
      WeightFormat(FloatActivations<Coding>.self)
    }
    return (coding as? any WidenedCoding.Type).map { wrapped($0) } ?? self
  }
}
