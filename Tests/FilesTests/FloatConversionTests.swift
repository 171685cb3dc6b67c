import Files
import Foundation
import Testing

@Suite struct FloatConversionTests {
  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    @Test func everyHalfWidensAsTheStandardLibrarySays() {
      var wrong = 0
      for bits in UInt16.min...UInt16.max {
        let expected = Float(Float16(bitPattern: bits))
        let actual = FloatConversion.f32(f16: bits)
        if expected.isNaN {
          if !actual.isNaN || FloatConversion.f16(actual) != bits | 0x200 { wrong += 1 }
        } else {
          if actual.bitPattern != expected.bitPattern { wrong += 1 }
          if FloatConversion.f16(actual) != bits { wrong += 1 }
        }
      }
      #expect(wrong == 0)
    }

    /// Around every boundary between two halves, and beyond both ends.
    @Test func narrowingToHalfRoundsAsTheStandardLibrarySays() {
      var wrong = 0
      func check(_ value: Float) {
        for value in [value, -value]
        where FloatConversion.f16(value) != Float16(value).bitPattern { wrong += 1 }
      }
      for bits in UInt16.min..<0x7C00 {
        let low = Float(Float16(bitPattern: bits))
        let high = bits == 0x7BFF ? 65536 : Float(Float16(bitPattern: bits + 1))
        let middle = (low + high) / 2
        for value in [low, middle, high] {
          for near in [value.nextDown, value, value.nextUp] where near >= 0 { check(near) }
        }
        check(low + (high - low) * 0.3)
        check(low + (high - low) * 0.8)
      }
      for value: Float in [1e30, .greatestFiniteMagnitude, .infinity, .leastNonzeroMagnitude, 0] {
        check(value)
      }
      #expect(wrong == 0)
    }
  #endif

  @Test func everyBrainFloatSurvives() {
    var wrong = 0
    for bits in UInt16.min...UInt16.max {
      let value = FloatConversion.f32(bf16: bits)
      if value.bitPattern != UInt32(bits) << 16 { wrong += 1 }
      if FloatConversion.bf16(value) != (value.isNaN ? bits | 0x40 : bits) { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func narrowingToBrainFloatRoundsToNearestEven() {
    var wrong = 0
    for upper in UInt32(0)..<0x7F80 {
      for lower: UInt32 in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
        let roundsUp = lower > 0x8000 || (lower == 0x8000 && upper & 1 == 1)
        let expected = UInt16(upper + (roundsUp ? 1 : 0))
        let value = Float(bitPattern: upper << 16 | lower)
        if FloatConversion.bf16(value) != expected { wrong += 1 }
        if FloatConversion.bf16(-value) != expected | 0x8000 { wrong += 1 }
      }
    }
    #expect(wrong == 0)
    // A NaN whose payload lies in the lower half must not become an infinity.
    #expect(FloatConversion.bf16(Float(bitPattern: 0x7F80_0001)) == 0x7FC0)
    #expect(FloatConversion.bf16(Float(bitPattern: 0xFFFF_FFFF)) == 0xFFFF)
  }

  @Test(arguments: ElementType.allCases)
  func bulkConversionIsThatOfSingleValues(type: ElementType) {
    for count in [0, 1, 7, 8, 33, 1000] {
      let values = (0..<count).map { index -> Float in
        let x = Float(index)
        return x * x * 0.37 - 50_000 / (x + 1)
      }
      let single = values.map { value in
        switch type {
        case .f32: value
        case .f16: FloatConversion.f32(f16: FloatConversion.f16(value))
        case .bf16: FloatConversion.f32(bf16: FloatConversion.bf16(value))
        }
      }
      // One byte off, so that nothing relies on alignment.
      let stored = UnsafeMutableRawBufferPointer.allocate(
        byteCount: count * type.byteCount + 1, alignment: 16)
      defer { stored.deallocate() }
      let start = stored.baseAddress! + 1
      var back = [Float](repeating: 0, count: count)
      back.withUnsafeMutableBufferPointer { target in
        values.withUnsafeBufferPointer { source in
          guard let source = source.baseAddress, let target = target.baseAddress else { return }
          FloatConversion.narrow(source, to: type, into: start, count: count)
          FloatConversion.widen(start, as: type, into: target, count: count)
        }
      }
      #expect(back == single)
    }
  }
}
