/// How a weight matrix is held in memory.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// 32-bit floats: 4 bytes a weight.
  case f32
  /// The upper halves of 32-bit floats: 2 bytes a weight.
  case bf16

  /// Bytes a weight.
  public var bytes: Int { self == .f32 ? 4 : 2 }
}
