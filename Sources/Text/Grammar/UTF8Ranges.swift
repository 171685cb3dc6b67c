/// Ranges of characters as ranges of their UTF-8 bytes.
enum UTF8Ranges {
  /// The sequences of byte ranges that spell exactly the characters of a range, without surrogates.
  ///
  /// In each sequence every byte may be any of its range, whatever the others are.
  static func sequences(_ range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var found: [[ClosedRange<UInt8>]] = []
    for part in parts {
      let low = max(range.lowerBound, part.lowerBound)
      let high = min(range.upperBound, part.upperBound)
      if low <= high { split(low, high, into: &found) }
    }
    return found
  }

  /// Characters of as many bytes each.
  private static let parts: [ClosedRange<UInt32>] = [
    0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF,
  ]

  /// Splits a range of characters with as many bytes each where a later byte's range depends on an
  /// earlier byte.
  private static func split(
    _ low: UInt32, _ high: UInt32, into found: inout [[ClosedRange<UInt8>]]
  ) {
    let (first, last) = (bytes(low), bytes(high))
    for place in 1..<max(1, first.count) {
      let mask: UInt32 = 1 << UInt32(6 * place) - 1
      guard low & ~mask != high & ~mask else { continue }
      if low & mask != 0 {
        split(low, low | mask, into: &found)
        return split((low | mask) + 1, high, into: &found)
      }
      if high & mask != mask {
        split(low, (high & ~mask) - 1, into: &found)
        return split(high & ~mask, high, into: &found)
      }
    }
    found.append(zip(first, last).map { $0...$1 })
  }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    Unicode.Scalar(value).map { Array(String(Character($0)).utf8) } ?? []
  }
}
