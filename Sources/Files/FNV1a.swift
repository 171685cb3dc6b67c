/// The 64-bit FNV-1a hash: short names of much data, the same in every run. Not for security.
package struct FNV1a: Sendable {
  /// The hash of what was added so far.
  package var value: UInt64

  /// Starts a hash; each seed gives another.
  @inlinable package init(seed: UInt64 = 0) { value = 0xCBF2_9CE4_8422_2325 ^ seed }

  /// The hash of a text's UTF-8.
  @inlinable package init(_ text: String, seed: UInt64 = 0) {
    self.init(seed: seed)
    add(text.utf8)
  }

  @inlinable package mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { add(word: UInt64(byte)) }
  }

  /// Adds a word as if it were one byte, which is eight times as fast and spreads its bits less.
  @inlinable package mutating func add(word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }

  /// Brings high bits down to the low ones, which multiplications alone never do.
  @inlinable package mutating func fold(by shift: UInt64) { value ^= value >> shift }
}
