/// A small seeded generator for tests (xorshift64*), so that every run sees the same cases.
package struct RandomNumbers: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  package mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// A row of logits, roughly normal with the given spread.
  package mutating func logits(_ count: Int, spread: Float = 2) -> [Float] {
    (0..<count).map { _ in
      spread * (0..<6).reduce(Float(0)) { sum, _ in sum + .random(in: -1...1, using: &self) }
        / 1.414
    }
  }
}
