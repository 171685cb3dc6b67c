import CKernels

/// What the factors of training's matrix products are rounded to. Sums, parameters, gradients and the
/// optimizer are f32 either way.
package enum ProductPrecision: String, Sendable, Codable, CaseIterable {
  /// Nothing is rounded.
  case f32
  /// 8 bits of mantissa, to nearest even. Without AVX-512 BF16 the rounded values are multiplied as
  /// f32 ones, which takes longer than f32 alone.
  case bf16

  /// bf16 where the processor multiplies pairs of such values, which was measured to be faster; f32
  /// elsewhere.
  package static var fastest: ProductPrecision { ct_has_bf16_products() != 0 ? .bf16 : .f32 }
}
