/// How a GGUF file stores a tensor: in blocks of columns, by the number that the format has for it.
///
/// Those that nothing here computes with are known too: a file may hold them, its other tensors load,
/// and only asking for such a tensor's values is an error that names the type.
package struct GGUFTensorType: Sendable, Hashable {
  /// The number in files.
  package let id: UInt32
  /// What GGUF calls it: `F32`, `Q4_K`, ….
  package let name: String
  /// Columns of a block; 1 where values stand alone.
  package let blockColumns: Int
  /// Bytes of a block.
  package let blockBytes: Int

  private init(_ id: UInt32, _ name: String, _ blockColumns: Int, _ blockBytes: Int) {
    self.id = id
    self.name = name
    self.blockColumns = blockColumns
    self.blockBytes = blockBytes
  }

  /// The type of a number; nil if there is none.
  package init?(id: UInt32) {
    guard let type = Self.byID[id] else { return nil }
    self = type
  }

  /// The type that stores floats one by one, if this is one to compute with.
  package var elementType: ElementType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    default: nil
    }
  }

  /// Bytes of a row; nil where the columns don't fill blocks, or the bytes don't fit `Int`.
  package func rowBytes(columns: Int) -> Int? {
    guard columns.isMultiple(of: blockColumns) else { return nil }
    let (bytes, overflow) = (columns / blockColumns).multipliedReportingOverflow(by: blockBytes)
    return overflow ? nil : bytes
  }

  package static let f32 = GGUFTensorType(0, "F32", 1, 4)
  package static let f16 = GGUFTensorType(1, "F16", 1, 2)
  package static let bf16 = GGUFTensorType(30, "BF16", 1, 2)
  package static let q40 = GGUFTensorType(2, "Q4_0", 32, 18)
  package static let q41 = GGUFTensorType(3, "Q4_1", 32, 20)
  package static let q50 = GGUFTensorType(6, "Q5_0", 32, 22)
  package static let q51 = GGUFTensorType(7, "Q5_1", 32, 24)
  package static let q80 = GGUFTensorType(8, "Q8_0", 32, 34)
  package static let q2K = GGUFTensorType(10, "Q2_K", 256, 84)
  package static let q3K = GGUFTensorType(11, "Q3_K", 256, 110)
  package static let q4K = GGUFTensorType(12, "Q4_K", 256, 144)
  package static let q5K = GGUFTensorType(13, "Q5_K", 256, 176)
  package static let q6K = GGUFTensorType(14, "Q6_K", 256, 210)
  package static let mxfp4 = GGUFTensorType(39, "MXFP4", 32, 17)
  package static let i32 = GGUFTensorType(26, "I32", 1, 4)
  package static let i64 = GGUFTensorType(27, "I64", 1, 8)

  /// All of them, in the order of their numbers.
  package static let allCases: [GGUFTensorType] =
    [
      f32, f16, q40, q41, q50, q51, q80, q2K, q3K, q4K, q5K, q6K, i32, i64, bf16, mxfp4,
      GGUFTensorType(9, "Q8_1", 32, 40), GGUFTensorType(15, "Q8_K", 256, 292),
      GGUFTensorType(16, "IQ2_XXS", 256, 66), GGUFTensorType(17, "IQ2_XS", 256, 74),
      GGUFTensorType(18, "IQ3_XXS", 256, 98), GGUFTensorType(19, "IQ1_S", 256, 50),
      GGUFTensorType(20, "IQ4_NL", 32, 18), GGUFTensorType(21, "IQ3_S", 256, 110),
      GGUFTensorType(22, "IQ2_S", 256, 82), GGUFTensorType(23, "IQ4_XS", 256, 136),
      GGUFTensorType(24, "I8", 1, 1), GGUFTensorType(25, "I16", 1, 2),
      GGUFTensorType(28, "F64", 1, 8), GGUFTensorType(29, "IQ1_M", 256, 56),
      GGUFTensorType(34, "TQ1_0", 256, 54), GGUFTensorType(35, "TQ2_0", 256, 66),
      GGUFTensorType(40, "NVFP4", 64, 36), GGUFTensorType(41, "Q1_0", 128, 18),
    ].sorted { $0.id < $1.id }

  private static let byID = Dictionary(uniqueKeysWithValues: allCases.map { ($0.id, $0) })
}

extension GGUFTensorType: CustomStringConvertible {
  /// The name.
  package var description: String { name }
}
