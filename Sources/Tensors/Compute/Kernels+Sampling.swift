internal import CKernels
package import Files

extension Kernels {
  /// Finds the columns whose noise lets them win a Gumbel race.
  ///
  /// A column enters if `u · need ≤ exp(x − top)`, where `u` in [0, 1) is the top 24 bits of its
  /// token's noise, ``noise(of:key:)``.
  ///
  /// - Parameters:
  ///   - x: logits: [count].
  ///   - tokens: the token of every column: [count]; nil if they count up from `first`.
  ///   - first: the first column's token if `tokens` is nil.
  ///   - key: the key of the noise.
  ///   - found: receives the columns, ascending: room for [count].
  /// - Returns: how many were found.
  package static func race(
    _ x: UnsafePointer<Float>, tokens: UnsafePointer<Token>?, first: Int, count: Int, key: UInt64,
    top: Float, need: Float, into found: UnsafeMutablePointer<UInt32>
  ) -> Int {
    ck_race(
      x, tokens, UInt32(truncatingIfNeeded: first), count, UInt32(truncatingIfNeeded: key),
      UInt32(truncatingIfNeeded: key >> 32), top, need, found)
  }

  /// 32 noise bits of a token, as ``race(_:tokens:first:count:key:top:need:into:)`` computes them: a
  /// bijection of the token, with one half of the key before and one between its two rounds.
  @inlinable
  package static func noise(of token: Token, key: UInt64) -> UInt32 {
    var x = UInt32(bitPattern: token) &* 0x9E37_79B1 &+ UInt32(truncatingIfNeeded: key)
    x ^= x >> 16
    x = x &* 0x21F0_AAAD
    x ^= x >> 15
    x = x &+ UInt32(truncatingIfNeeded: key >> 32)
    x = x &* 0x735A_2D97
    return x ^ (x >> 15)
  }

  /// Finds the columns with `x ≥ bound`.
  ///
  /// - Parameter found: receives the columns, ascending: room for [count].
  /// - Returns: how many were found.
  package static func columns(
    _ x: UnsafePointer<Float>, count: Int, atLeast bound: Float,
    into found: UnsafeMutablePointer<UInt32>
  ) -> Int {
    ck_at_least(x, count, bound, found)
  }

  /// `x = −infinity` where `x < bound` or not a number.
  package static func mask(_ x: UnsafeMutablePointer<Float>, count: Int, below bound: Float) {
    ck_mask_below(x, count, bound)
  }

  /// `x /= divisor` over `count` values.
  package static func divide(_ x: UnsafeMutablePointer<Float>, by divisor: Float, count: Int) {
    ck_divide(x, count, divisor)
  }
}
