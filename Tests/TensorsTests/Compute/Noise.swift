/// Repeatable numbers for tests: uniform in -1..<1.
struct Noise {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }

  mutating func array(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in next() * scale }
  }
}

/// The bits of values: equality to the bit, with NaN equal to itself.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// Greatest difference relative to the greatest magnitude of `expected`.
func relativeError(_ values: [Float], _ expected: [Double]) -> Double {
  let size = expected.map(abs).max() ?? 0
  let error = zip(values, expected).map { abs(Double($0) - $1) }.max() ?? 0
  return size > 0 ? error / size : error
}
