internal import CKernels

/// The instruction sets that kernels are built for.
///
/// All builds but the last agree to the bit; `avx512bf16` rounds activations of bf16 products.
package enum InstructionSet: Int, Sendable, CaseIterable, Comparable {
  /// The compiler's baseline.
  case portable = 0
  /// AVX2 with fused multiply-add.
  case avx2 = 1
  /// AVX-512 F, BW, DQ, VL.
  case avx512 = 2
  /// AVX-512 with BF16 products.
  case avx512bf16 = 3

  package static var best: InstructionSet {
    InstructionSet(rawValue: Int(ck_isa_detect().rawValue)) ?? .portable
  }

  package static var current: InstructionSet {
    InstructionSet(rawValue: Int(ck_isa_current().rawValue)) ?? .portable
  }

  /// Whether the products of integer weights use dot-product instructions (VNNI).
  package static var hasDotProducts: Bool { ck_has_dot_products() != 0 }

  /// Selects the kernels of the whole process; lowered to what the machine has.
  ///
  /// Not for use while a model runs.
  /// - Returns: The one selected.
  @discardableResult
  package static func select(_ wanted: InstructionSet) -> InstructionSet {
    let chosen = ck_isa_select(ck_isa(UInt32(wanted.rawValue)))
    return InstructionSet(rawValue: Int(chosen.rawValue)) ?? .portable
  }

  /// Whether `lhs` needs less of the machine than `rhs`.
  package static func < (lhs: InstructionSet, rhs: InstructionSet) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}
