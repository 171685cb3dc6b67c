/// Bulk conversion between f32 and the two 16-bit formats.
///
/// Narrowing rounds to nearest, ties to even; infinities, signed zeros and NaNs survive (a NaN
/// becomes quiet and keeps the upper bits of its payload). The loops are free of branches, so that
/// the compiler turns them into vector code without F16C.
package enum FloatConversion {
  /// Widens `count` little-endian values of any type to f32.
  ///
  /// - Parameters:
  ///   - source: `count` elements of `type`, of any alignment.
  ///   - type: The stored type.
  ///   - target: Room for `count` values; must not overlap the source.
  package static func widen(
    _ source: UnsafeRawPointer, as type: ElementType, into target: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    switch type {
    case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * count)
    case .f16:
      for i in 0..<count {
        target[i] = f32(f16: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
      }
    case .bf16:
      for i in 0..<count {
        target[i] = f32(bf16: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
      }
    }
  }

  /// Rounds `count` f32 values to a type.
  ///
  /// - Parameters:
  ///   - source: `count` values.
  ///   - type: The type to store.
  ///   - target: Room for `count` elements of `type`, of any alignment; must not overlap the source.
  package static func narrow(
    _ source: UnsafePointer<Float>, to type: ElementType, into target: UnsafeMutableRawPointer,
    count: Int
  ) {
    switch type {
    case .f32: target.copyMemory(from: source, byteCount: 4 * count)
    case .f16:
      for i in 0..<count {
        target.storeBytes(of: f16(source[i]), toByteOffset: 2 * i, as: UInt16.self)
      }
    case .bf16:
      for i in 0..<count {
        target.storeBytes(of: bf16(source[i]), toByteOffset: 2 * i, as: UInt16.self)
      }
    }
  }

  /// The value of bf16 bits.
  @inline(__always)
  package static func f32(bf16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// An f32 rounded to bf16 bits, to nearest, ties to even.
  @inline(__always)
  package static func bf16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
    let quiet = bits >> 16 | 0x40
    return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
  }

  /// The value of f16 bits.
  ///
  /// No intermediate value is subnormal, so that the result does not depend on flush-to-zero modes.
  @inline(__always)
  package static func f32(f16 bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7FFF)
    let sign = UInt32(bits & 0x8000) << 16
    let normal = magnitude << 13 &+ 0x3800_0000  // exponent bias 15 → 127
    let special = magnitude << 13 | 0x7F80_0000
    // A subnormal is its mantissa times 2⁻²⁴.
    let subnormal = (Float(Int32(bitPattern: magnitude)) * 0x1p-24).bitPattern
    let quiet: UInt32 = magnitude > 0x7C00 ? 0x40_0000 : 0
    let finite = magnitude < 0x400 ? subnormal : normal
    return Float(bitPattern: sign | (magnitude >= 0x7C00 ? special | quiet : finite))
  }

  /// An f32 rounded to f16 bits, to nearest, ties to even; beyond 65504 to infinity.
  @inline(__always)
  package static func f16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16 & 0x8000)
    let magnitude = bits & 0x7FFF_FFFF
    // Normal results: move the exponent, round the mantissa; a carry into infinity is right.
    let normal = (magnitude &- 0x3800_0000 &+ 0xFFF &+ (magnitude >> 13 & 1)) >> 13
    // Results below 2⁻¹⁴: adding ½ puts the last place of a subnormal f16 (2⁻²⁴) at the last place
    // of an f32, so that the addition itself rounds.
    let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
    let special: UInt32 = magnitude > 0x7F80_0000 ? 0x7E00 | magnitude >> 13 & 0x3FF : 0x7C00
    let finite = magnitude < 0x3880_0000 ? subnormal : normal
    let result = magnitude >= 0x4780_0000 ? special : finite
    return sign | UInt16(truncatingIfNeeded: result)
  }
}
