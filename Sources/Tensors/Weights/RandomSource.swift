/// Random weights: matrices uniform with variance 1/columns, norms and biases near their neutral
/// value. Each tensor is a function of the seed and its name, so that tests and benchmarks can repeat them.
package final class RandomSource: WeightSource {
  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  package func values(_ name: String, _ shape: [Int]) -> FloatBuffer {
    let buffer = FloatBuffer(count: shape.reduce(1, *))
    // FNV-1a over the name.
    var state = name.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    let isVector = shape.count == 1
    let center: Float = isVector && !name.hasSuffix("bias") ? 1 : 0
    let spread = isVector ? 0.1 : (3 / Float(shape[1])).squareRoot()
    for index in 0..<buffer.count {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      z ^= z >> 31
      let unit = Float(z >> 40) / Float(1 << 23) - 1
      buffer.base[index] = center + spread * unit
    }
    return buffer
  }
}
