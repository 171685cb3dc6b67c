package import Files
import Foundation
import Tensors

/// Random numbers that are functions of (seed, position, token), and of nothing else.
///
/// A generator with a state would tie the noise of a token to how many numbers were drawn before
/// it, so that a decoder that looks at more rows would choose other tokens. Here the number at a
/// place is the same whoever asks, as often as they ask.
///
/// A position's key is SplitMix64's mix (Steele, Lea, Flood 2014, with Stafford's mix 13) of seed and
/// position. Of a token's 52 bits the upper 32 are a two-round 32-bit mix of token and key, cheap
/// enough to be computed for a whole row (``Kernels/race(_:tokens:first:count:key:top:need:into:)``);
/// the lower 20 are of the SplitMix64 sequence that starts at the key, and only computed for tokens
/// that matter. It does not serve cryptography.
package struct KeyedNoise: Sendable, Equatable {
  package let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// The noise of all tokens at one position.
  ///
  /// - Parameter position: the absolute position of the token to be chosen.
  package func stream(position: Int) -> Stream {
    let place = UInt64(truncatingIfNeeded: position) &* 0xD1B5_4A32_D192_ED03
    return Stream(key: SplitMix.mix(SplitMix.mix(seed &+ SplitMix.step) ^ place))
  }

  /// The noise of all tokens at one position.
  package struct Stream: Sendable, Equatable {
    let key: UInt64

    /// 52 random bits of a token.
    @inline(__always)
    package func bits(_ token: Token) -> UInt64 {
      let upper = Kernels.noise(of: token, key: key)
      let lower = SplitMix.mix(key &+ SplitMix.step &* (UInt64(UInt32(bitPattern: token)) &+ 1))
      return UInt64(upper) << 20 | lower >> 44
    }

    /// A uniform number of a token: a multiple of 2⁻⁵³ in [2⁻⁵³, 1 − 2⁻⁵³], never 0 or 1.
    @inline(__always)
    package func uniform(_ token: Token) -> Double { KeyedNoise.uniform(bits(token)) }

    /// A standard Gumbel number of a token, in [−3.61, 36.74], always finite.
    @inline(__always)
    package func gumbel(_ token: Token) -> Double { KeyedNoise.gumbel(bits(token)) }
  }

  /// The middle of the 2⁻⁵²-wide cell that 52 bits name: exact in `Double`.
  @inline(__always)
  package static func uniform(_ bits: UInt64) -> Double { (Double(bits) + 0.5) * 0x1p-52 }

  /// `−log(−log(1 − u))`. With `1 − u` a large number means a small `u`, so that the upper bits
  /// alone tell which tokens cannot win.
  @inline(__always)
  package static func gumbel(_ bits: UInt64) -> Double { -log(-log1p(-uniform(bits))) }
}
