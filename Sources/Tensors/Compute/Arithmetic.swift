internal import CKernels
import Files

/// What the instructions of a product multiply.
package enum Arithmetic: String, Sendable, CaseIterable, Encodable {
  /// f32 values.
  case f32
  /// Pairs of bf16 values; f32 values where the processor has no such instruction.
  case bf16
  /// Weights of up to 8 bits with int8 activations.
  case int8
  /// Weights of up to 4 bits with int8 activations: without dot products, twice as fast as 8 bits.
  case int4

  /// Multiplies in registers for about `seconds`, on all threads at once.
  ///
  /// - Returns: Multiplications a second, which no product of this kind exceeds.
  package func peak(seconds: Double, workers: Workers) -> Double {
    let kind = ck_arithmetic(UInt32(index))
    let counts = FloatBuffer(count: 16 * workers.count)  // [worker][16]: a cache line each
    func rate(turns: Int) -> (rate: Double, seconds: Double) {
      let start = Stopwatch.now
      workers.run { counts.base[16 * $0] = Float(ck_multiply_in_registers(kind, turns)) }
      let seconds = Stopwatch.now - start
      let count = (0..<workers.count).reduce(0) { $0 + Double(counts.base[16 * $1]) }
      return (count / seconds, seconds)
    }
    var turns = 64
    while true {
      let (rate, taken) = rate(turns: turns)
      if taken >= seconds / 2 { return rate }
      turns *= 2
    }
  }

  private var index: Int {
    switch self {
    case .f32: Int(CK_ARITHMETIC_F32.rawValue)
    case .bf16: Int(CK_ARITHMETIC_BF16.rawValue)
    case .int8: Int(CK_ARITHMETIC_INT8.rawValue)
    case .int4: Int(CK_ARITHMETIC_INT4.rawValue)
    }
  }
}

extension WeightFormat {
  /// What products of the format are made of.
  package var arithmetic: Arithmetic { coding.arithmetic }
}
