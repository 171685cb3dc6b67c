/// The SplitMix64 generator (Steele, Lea and Flood 2014): resampling gives the same interval
/// whenever the same trace is read.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= KeyedNoise.step
    return KeyedNoise.mix(state)
  }
}
