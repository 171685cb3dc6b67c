import Files

/// SplitMix64: a stream of random numbers that is a function of a seed and a key alone.
///
/// Training keeps no generator state: whatever is random is keyed by what it is for (a tensor's
/// name, an epoch, a step), so a resumed run draws what the uninterrupted one would have drawn.
package struct KeyedRandom: RandomNumberGenerator, Sendable {
  private var random: SplitMix

  package init(seed: UInt64, key: UInt64) {
    random = SplitMix(
      seed: SplitMix.mix(seed &+ SplitMix.step) ^ SplitMix.mix(key &+ 0xD1B5_4A32_D192_ED03))
  }

  package init(seed: UInt64, key: String) {
    self.init(seed: seed, key: FNV1a(key).value)  // Swift's own hash differs between runs.
  }

  package mutating func next() -> UInt64 { random.next() }

  /// The next number in 0..<1.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
