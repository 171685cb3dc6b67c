import Files

/// Random weights: matrices uniform with variance 1/columns, norms and biases near their neutral
/// value. Each tensor is a function of the seed and its name, so that tests and benchmarks can repeat them.
package final class RandomSource: WeightSource {
  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  package func values(_ tensor: NamedShape) -> FloatBuffer { values(tensor.name, tensor.shape) }

  package func values(_ name: String, _ shape: [Int]) -> FloatBuffer {
    let buffer = FloatBuffer(count: shape.reduce(1, *))
    var random = SplitMix(seed: FNV1a(name, seed: seed).value)
    let isVector = shape.count == 1
    let center: Float = isVector && !name.hasSuffix("bias") ? 1 : 0
    let spread = isVector ? 0.1 : (3 / Float(shape[1])).squareRoot()
    for index in 0..<buffer.count {
      let unit = Float(random.next() >> 40) / Float(1 << 23) - 1
      buffer.base[index] = center + spread * unit
    }
    return buffer
  }
}
