import Foundation
public import Tensors

/// Random numbers that are functions of (seed, position, token), and of nothing else.
///
/// A generator with a state would tie the noise of a token to how many numbers were drawn before
/// it, so that a decoder that looks at more rows would choose other tokens. Here the number at a
/// place is the same whoever asks, as often as they ask.
///
/// The 64 bits are SplitMix64's (Steele, Lea, Flood 2014, with Stafford's mix 13): the position's
/// key is a mix of seed and position, and the token indexes the SplitMix64 sequence that starts
/// there. It does not serve cryptography.
public struct KeyedNoise: Sendable, Equatable {
  /// The seed all numbers depend on.
  public let seed: UInt64

  /// Makes the noise of a seed.
  public init(seed: UInt64) { self.seed = seed }

  /// The noise of all tokens at one position.
  ///
  /// - Parameter position: the absolute position of the token to be chosen.
  public func stream(position: Int) -> Stream {
    let place = UInt64(truncatingIfNeeded: position) &* 0xD1B5_4A32_D192_ED03
    return Stream(key: Self.mix(Self.mix(seed &+ Self.step) ^ place))
  }

  /// The noise of all tokens at one position.
  public struct Stream: Sendable, Equatable {
    let key: UInt64

    /// 64 random bits of a token.
    @inline(__always)
    public func bits(_ token: Token) -> UInt64 {
      KeyedNoise.mix(key &+ KeyedNoise.step &* (UInt64(UInt32(bitPattern: token)) &+ 1))
    }

    /// A uniform number of a token: a multiple of 2⁻⁵³ in [2⁻⁵³, 1 − 2⁻⁵³], never 0 or 1.
    @inline(__always)
    public func uniform(_ token: Token) -> Double { KeyedNoise.uniform(bits(token)) }

    /// A standard Gumbel number of a token, in [−3.61, 36.74], always finite.
    @inline(__always)
    public func gumbel(_ token: Token) -> Double { KeyedNoise.gumbel(bits(token)) }
  }

  /// The golden ratio's odd neighbour, SplitMix64's stride.
  static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The middle of the 2⁻⁵²-wide cell that the top 52 bits name: exact in `Double`.
  @inline(__always)
  package static func uniform(_ bits: UInt64) -> Double {
    (Double(bits >> 12) + 0.5) * 0x1p-52
  }

  /// `−log(−log(1 − u))`. With `1 − u` a large number means a small `u`, so that leading zero bits
  /// bound it (``gumbelBound(_:)``).
  @inline(__always)
  package static func gumbel(_ bits: UInt64) -> Double {
    -log(-log1p(-uniform(bits)))
  }

  /// An upper bound of ``gumbel(_:)`` at the cost of counting bits: `−log(1 − u) ≥ u ≥ 2^−(z+1)`
  /// for `z` leading zeros of the top 52 bits.
  @inline(__always)
  package static func gumbelBound(_ bits: UInt64) -> Double {
    Double(min(bits.leadingZeroBitCount, 52) + 1) * 0.693_147_180_559_945_4
  }
}
