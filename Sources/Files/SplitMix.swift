/// The SplitMix64 generator (Steele, Lea and Flood 2014, with Stafford's mix 13): numbers that are
/// the same in every run.
package struct SplitMix: RandomNumberGenerator, Sendable {
  @usableFromInline var state: UInt64

  @inlinable package init(seed: UInt64) { state = seed }

  @inlinable package mutating func next() -> UInt64 {
    state &+= Self.step
    return Self.mix(state)
  }

  /// The golden ratio's odd neighbour, by which the state advances.
  @inlinable package static var step: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  /// Spreads a value's bits over all 64.
  @inlinable package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
