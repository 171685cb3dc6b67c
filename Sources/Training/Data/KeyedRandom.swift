/// SplitMix64: a stream of random numbers that is a function of a seed and a key alone.
///
/// Training keeps no generator state: whatever is random is keyed by what it is for (a tensor's
/// name, an epoch, a step), so a resumed run draws what the uninterrupted one would have drawn.
public struct KeyedRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The stream number `key` of a seed.
  public init(seed: UInt64, key: UInt64) {
    state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(key &+ 0xD1B5_4A32_D192_ED03)
  }

  /// The stream of a seed that belongs to a name.
  public init(seed: UInt64, key: String) {
    // FNV-1a; Swift's own hash differs between runs.
    let hash = key.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    self.init(seed: seed, key: hash)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// The next number in 0..<1.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
