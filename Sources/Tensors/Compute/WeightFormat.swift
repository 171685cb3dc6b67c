internal import CKernels

/// How a weight matrix is held in memory.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// 32-bit floats: 4 bytes a weight.
  case f32
  /// The upper halves of 32-bit floats: 2 bytes a weight.
  case bf16
  /// 8-bit integers in groups of 32 columns with an f16 scale each: 8.5 bits a weight.
  case int8
  /// 4-bit integers in groups of 32 columns with an f16 scale each: 4.5 bits a weight.
  case int4

  /// Bits of an integer weight; nil for floats.
  public var integerBits: Int? {
    switch self {
    case .f32, .bf16: nil
    case .int8: 8
    case .int4: 4
    }
  }

  /// Columns that share a scale in the integer formats.
  public static let groupSize = Int(CK_GROUP)

  /// Columns of a matrix in an integer format, at most.
  public static let integerColumnLimit = Int(CK_QUANTIZED_MAX_COLUMNS)

  /// Groups of a row of `columns` weights; the last one may be short.
  static func groups(of columns: Int) -> Int { (columns + groupSize - 1) / groupSize }

  /// Bytes of one panel of sixteen rows.
  func panelBytes(columns: Int) -> Int {
    switch self {
    case .f32: columns * Int(CK_PANEL) * 4
    case .bf16: (columns + 1) / 2 * 2 * Int(CK_PANEL) * 2
    case .int8: ck_quantized_panel_bytes(8, columns)
    case .int4: ck_quantized_panel_bytes(4, columns)
    }
  }
}
