internal import CKernels
package import Files
internal import Foundation

/// What a weight format does: how it packs, multiplies, looks up and stores weights.
///
/// One type a format, in a folder of its own, and never an instance. A product is one call through the
/// type; all else is called while models are loaded or converted.
protocol WeightCoding: Sendable {
  static var name: String { get }
  /// Whether weights are rounded to less than a float of 16 bits.
  static var isQuantized: Bool { get }
  /// The usual format of a head beside layers of this one.
  static var usualHead: WeightFormat { get }
  /// Columns of a matrix, at most; nil for any number.
  static var columnLimit: Int? { get }
  /// What its products are made of.
  static var arithmetic: Arithmetic { get }

  /// How products want rows of activations; nil for f32 as they are.
  static var activations: (any ActivationCoding.Type)? { get }
  /// Multiplies rows with panels.
  static func multiply(_ rows: ProductRows, _ product: PanelProduct)

  /// Bytes of one panel of sixteen rows.
  static func panelBytes(columns: Int) -> Int
  /// Packs the sixteen f32 rows `[rows][columns]` from `first` on into a panel; rows past the last are zero.
  static func pack(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, first: Int,
    into panel: UnsafeMutableRawPointer)
  /// Writes row `lane` of a panel, widened to f32, to `values` `[columns]`.
  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>)

  /// Bytes of a row by itself, as an embedding holds it.
  static func rowBytes(columns: Int) -> Int
  /// Writes f32 rows `[rows][columns]` as an embedding holds them.
  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer)
  /// Widens one row of an embedding to f32 `[columns]`.
  static func decode(_ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>)

  /// A matrix that a checkpoint holds in this format and that can be taken without rounding it again; nil
  /// if the tensor isn't such a one.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  static func stored(
    _ tensor: NamedShape, in checkpoint: Checkpoint
  ) throws -> (any StoredMatrix)?
  /// The tensors that a converted checkpoint holds a matrix in.
  static func storedParts(rows: Int, columns: Int) -> [StoredPart]
  /// Hands over some f32 rows `[rows][columns]` as one of these tensors holds them.
  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void) throws
}

extension WeightCoding {
  static var isQuantized: Bool { false }
  static var usualHead: WeightFormat { WeightFormat(Self.self) }
  static var columnLimit: Int? { nil }

  /// Floats of a checkpoint are converted as they are read.
  static func stored(
    _ tensor: NamedShape, in checkpoint: Checkpoint
  ) throws -> (any StoredMatrix)? { nil }

  /// Rows of a panel.
  static var panelRows: Int { Int(CK_PANEL) }
}

/// Floats of a type that checkpoints have: a row by itself is what a file holds.
protocol FloatCoding: WeightCoding {
  static var type: ElementType { get }
}

extension FloatCoding {
  static func rowBytes(columns: Int) -> Int { type.byteCount * columns }

  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer
  ) {
    FloatConversion.narrow(values, to: type, into: table, count: rows * columns)
  }

  static func decode(
    _ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    FloatConversion.widen(row, as: type, into: values, count: columns)
  }

  static func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    [StoredPart(suffix: "", shape: [rows, columns], type: StoredType(type))]
  }

  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let bytes = rows * rowBytes(columns: columns)
    let out = try Memory.take(bytes, for: "weights")
    defer { free(out) }
    encode(values, rows: rows, columns: columns, into: out)
    try sink(UnsafeRawBufferPointer(start: out, count: bytes))
  }
}

/// How products want rows of activations, where that isn't f32. Formats may share one.
protocol ActivationCoding: Sendable {
  /// Columns that are prepared together.
  static var group: Int { get }
  /// Bytes of a prepared row.
  static func rowBytes(preparedColumns columns: Int) -> Int
  /// Whether products of so many columns take prepared rows on this machine.
  static func isUsed(columns: Int) -> Bool
  /// Prepares some columns of a row that has `width`; `values` points to the first of them.
  static func prepare(
    _ values: UnsafePointer<Float>, _ columns: Range<Int>, width: Int,
    into row: UnsafeMutableRawPointer)
}

/// The rows of a product.
enum ProductRows {
  /// f32 rows, so many values apart.
  case values(UnsafePointer<Float>, stride: Int)
  /// Rows as the format's `activations` prepared them.
  case prepared(UnsafeRawPointer)
}

/// One worker's part of a product: `y[m][r] (+)= Σ_c w[r][c] · x[m][c] (+ bias[r])`.
struct PanelProduct {
  /// The matrix: all its panels.
  var storage: UnsafeRawPointer
  var rows: Int
  var columns: Int
  /// The panels to compute.
  var panels: Range<Int>
  /// Rows of activations.
  var count: Int
  /// `[count][stride]`.
  var y: UnsafeMutablePointer<Float>
  /// Between rows of `y`.
  var stride: Int
  /// The bias, whether to add to `y`, and what is read afterwards.
  var end: ck_epilogue
}

/// A matrix as a checkpoint holds it in a format, to be taken without rounding it again.
package protocol StoredMatrix {
  /// The tensors that it takes.
  var names: [String] { get }
  /// The format that it is packed for; nil for the one that was asked for.
  var format: WeightFormat? { get }
  /// Packs it into panels.
  func pack(into panels: UnsafeMutableRawPointer) throws
  /// Writes its rows as an embedding holds them.
  func encode(into table: UnsafeMutableRawPointer) throws
  /// All values as f32, `[rows][columns]`.
  func floats() throws -> FloatBuffer
}

extension StoredMatrix {
  package var format: WeightFormat? { nil }
}

/// One tensor of a matrix in a converted checkpoint.
package struct StoredPart: Sendable {
  /// What follows the matrix's name.
  package let suffix: String
  package let shape: [Int]
  package let type: StoredType

  package var byteCount: Int { shape.reduce(1, *) * type.bitCount / 8 }
}

extension WeightFormat {
  /// The tensors that a converted checkpoint holds a matrix in.
  package func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    coding.storedParts(rows: rows, columns: columns)
  }

  /// Hands over some f32 rows `[rows][columns]` as one of these tensors holds them.
  ///
  /// - Throws: What `sink` throws.
  package func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try coding.store(values, rows: rows, columns: columns, part: part, to: sink)
  }
}
