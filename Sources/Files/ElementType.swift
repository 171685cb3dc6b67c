/// The element types whose tensors this package computes with, named as safetensors names them.
package enum ElementType: String, Sendable, CaseIterable {
  /// 32-bit IEEE 754 floating point.
  case f32 = "F32"
  /// 16-bit IEEE 754 floating point.
  case f16 = "F16"
  /// The upper half of an f32.
  case bf16 = "BF16"

  /// The size of one element.
  package var byteCount: Int { self == .f32 ? 4 : 2 }
}
