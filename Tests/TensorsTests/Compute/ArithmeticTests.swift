import CKernels
import Tensors
import Testing

/// Multiplications in registers, which nothing but their count can be said of without a clock.
struct ArithmeticTests {
  @Test func everyTurnCounts() {
    for kind in [CK_ARITHMETIC_F32, CK_ARITHMETIC_BF16, CK_ARITHMETIC_INT8, CK_ARITHMETIC_INT4] {
      let once = ck_multiply_in_registers(kind, 1)
      #expect(once >= 1)
      #expect(ck_multiply_in_registers(kind, 7) == 7 * once)
      #expect(ck_multiply_in_registers(kind, 0) == 0)
    }
  }

  /// The kinds that formats name; without dot products, 4 bits are multiplied by other instructions.
  @Test func formatsKnowTheirArithmetic() {
    #expect(WeightFormat.f32.arithmetic == .f32)
    #expect(WeightFormat.bf16.arithmetic == .bf16)
    #expect(WeightFormat.int8.arithmetic == .int8)
    #expect(WeightFormat.int4.arithmetic == .int4)
    #expect(WeightFormat.int4.withFloatActivations.arithmetic == .f32)
    let four = WeightFormat.blocks.filter { $0.arithmetic == .int4 }.map(\.rawValue)
    #expect(four == ["q4_1", "q2_k", "q3_k", "q4_k"])
  }
}
