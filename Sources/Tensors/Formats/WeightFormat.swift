/// How a weight matrix is held in memory, by the name that users write.
///
/// A value is its coding itself: a type without instances or reference count, so that formats can be
/// compared and called from workers. What a format does is in its own folder; `allCases` is the one list
/// of them.
public struct WeightFormat: Sendable {
  let coding: any WeightCoding.Type

  init(_ coding: any WeightCoding.Type) { self.coding = coding }

  /// 32-bit floats: 4 bytes a weight.
  public static var f32: WeightFormat { WeightFormat(Float32Coding.self) }
  /// The upper halves of 32-bit floats: 2 bytes a weight.
  public static var bf16: WeightFormat { WeightFormat(BFloat16Coding.self) }
  /// 8-bit integers in groups of 32 columns with an f16 scale each: 8.5 bits a weight.
  public static var int8: WeightFormat { WeightFormat(Int8Coding.self) }
  /// 4-bit integers in groups of 32 columns with an f16 scale each: 4.5 bits a weight.
  public static var int4: WeightFormat { WeightFormat(Int4Coding.self) }

  /// Whether weights are rounded to less than a float of 16 bits.
  public var isQuantized: Bool { coding.isQuantized }

  /// Columns of activations that products take together.
  var activationGroup: Int { coding.activations?.group ?? 1 }

  /// Bytes that a product with a matrix reads.
  package func matrixBytes(rows: Int, columns: Int) -> Int {
    (rows + coding.panelRows - 1) / coding.panelRows * coding.panelBytes(columns: columns)
  }

  /// Bytes of a matrix whose rows are looked up one at a time.
  package func tableBytes(rows: Int, columns: Int) -> Int {
    rows * coding.rowBytes(columns: columns)
  }

  /// Says what is wrong with a matrix of so many columns; nil if nothing is.
  package func complaint(columns: Int) -> String? {
    guard let limit = coding.columnLimit, columns > limit else { return nil }
    return "has \(columns) columns, but \(self) allows \(limit); use bf16"
  }
}

extension WeightFormat: CaseIterable {
  /// The formats that are no file format's blocks.
  public static let allCases: [WeightFormat] = [.f32, .bf16, .int8, .int4]

  /// All formats that have a name.
  package static let named = allCases + blocks
}

extension WeightFormat: RawRepresentable {
  /// The name that users write.
  public var rawValue: String { coding.name }

  /// The format of a name; nil if there is none.
  public init?(rawValue: String) {
    guard let format = Self.named.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = format
  }
}

extension WeightFormat: Hashable {
  /// Whether both are the same format.
  public static func == (lhs: WeightFormat, rhs: WeightFormat) -> Bool {
    ObjectIdentifier(lhs.coding) == ObjectIdentifier(rhs.coding)
  }

  /// Hashes the format.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(coding)) }
}

extension WeightFormat: CustomStringConvertible {
  /// The name.
  public var description: String { rawValue }
}
