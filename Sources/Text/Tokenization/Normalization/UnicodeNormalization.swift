/// The normalization forms of Unicode Standard Annex 15, over the characters of Unicode 9.
///
/// huggingface/tokenizers normalizes by that version to this day, so a character that came later stays as
/// it is: a model was trained on it so.
enum UnicodeNormalization: Sendable, Equatable {
  case nfc
  case nfd
  case nfkc
  case nfkd

  // Hangul syllables by formula: Unicode Standard, section 3.12.
  private static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
  private static let (leads, vowels, trails): (UInt32, UInt32, UInt32) = (0x1100, 0x1161, 0x11A7)
  private static let (leadCount, vowelCount, trailCount): (UInt32, UInt32, UInt32) = (19, 21, 28)

  /// The second characters of compositions, and those that decompose and do not compose again.
  private static let changing: Set<UInt32> = {
    let seconds = CanonicalDecompositions.composites.keys.map { UInt32($0 & 0xFFFF_FFFF) }
    let composites = Set(CanonicalDecompositions.composites.values)
    return Set(seconds + CanonicalDecompositions.parts.keys.filter { !composites.contains($0) })
  }()

  /// [0x10000] whether a character of the basic plane may change or take part in a change.
  private static let isSuspect: [Bool] = (0..<0x10000).map { value in
    mayChange(value) || (vowels..<vowels + vowelCount).contains(value)
      || (trails + 1..<trails + trailCount).contains(value)
  }

  private static func mayChange(_ value: UInt32) -> Bool {
    combiningClass(value) != 0 || changing.contains(value)
  }

  /// A text in UTF-8 in this form; `nil` when a first look shows that it is in it.
  func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard self == .nfc ? Self.needsComposition(text) : text.contains(where: { $0 >= 0x80 }) else {
      return nil
    }
    let isCompatible = self == .nfkc || self == .nfkd
    var scalars: [UInt32] = []
    scalars.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      let (value, length) = UTF8Scalars.scalar(in: text, at: index)
      if isCompatible, value >= 0xA0, let parts = CompatibilityDecompositions.parts[value] {
        scalars += parts
      } else {
        Self.decompose(value, into: &scalars)
      }
      index += length
    }
    Self.reorder(&scalars)
    if self == .nfc || self == .nfkc { Self.compose(&scalars) }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for value in scalars { UTF8Scalars.append(value, to: &result) }
    return result
  }

  private static func needsComposition(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var index = 0
    while index < text.count {
      // No character below U+0300, whose first byte is 0xCC, is suspect.
      if text[index] < 0xCC {
        index += 1
        continue
      }
      let (value, length) = UTF8Scalars.scalar(in: text, at: index)
      if value < 0x10000 ? isSuspect[Int(value)] : mayChange(value) { return true }
      index += length
    }
    return false
  }

  /// Whether Unicode 9 knew a character.
  static func isKnown(_ properties: Unicode.Scalar.Properties) -> Bool {
    properties.age.map { $0.major <= 9 } ?? false
  }

  /// [0x10000] the classes of the basic plane.
  private static let basicClasses: [UInt8] = (0..<0x10000).map { findCombiningClass($0) }

  private static func combiningClass(_ value: UInt32) -> UInt8 {
    value < 0x10000 ? basicClasses[Int(value)] : findCombiningClass(value)
  }

  private static func findCombiningClass(_ value: UInt32) -> UInt8 {
    guard let properties = Unicode.Scalar(value)?.properties else { return 0 }
    let kind = properties.canonicalCombiningClass.rawValue
    return kind != 0 && isKnown(properties) ? kind : 0
  }

  private static func decompose(_ value: UInt32, into scalars: inout [UInt32]) {
    if value < 0xC0 {
      scalars.append(value)
    } else if syllables.contains(value) {
      let index = value - syllables.lowerBound
      scalars.append(leads + index / (vowelCount * trailCount))
      scalars.append(vowels + index % (vowelCount * trailCount) / trailCount)
      if index % trailCount != 0 { scalars.append(trails + index % trailCount) }
    } else if let parts = CanonicalDecompositions.parts[value] {
      decompose(parts.first, into: &scalars)
      if let second = parts.second { decompose(second, into: &scalars) }
    } else {
      scalars.append(value)
    }
  }

  /// Sorts each run of combining characters by class, keeping the order within a class.
  private static func reorder(_ scalars: inout [UInt32]) {
    var start = 0
    while start < scalars.count {
      guard scalars[start] >= 0x300, combiningClass(scalars[start]) != 0 else {
        start += 1
        continue
      }
      var run: [(value: UInt32, kind: UInt8)] = []
      while start + run.count < scalars.count {
        let value = scalars[start + run.count]
        let kind = combiningClass(value)
        guard kind != 0 else { break }
        run.append((value, kind))
      }
      // The standard library's sort keeps the order of equal elements, but does not promise it.
      let order = run.indices.sorted { (run[$0].kind, $0) < (run[$1].kind, $1) }
      for (offset, index) in order.enumerated() { scalars[start + offset] = run[index].value }
      start += run.count
    }
  }

  /// Composes each character with the last starter before it unless one between blocks it.
  private static func compose(_ scalars: inout [UInt32]) {
    var count = 0
    var starter = -1
    var lastClass: UInt8 = 0
    for value in scalars {
      let kind = value < 0x300 ? 0 : combiningClass(value)
      // Between starter and value only characters of lower class are left.
      let isBlocked = starter < count - 1 && lastClass >= kind
      if starter >= 0, !isBlocked, let composite = composite(scalars[starter], value) {
        scalars[starter] = composite
        continue
      }
      if kind == 0 { starter = count }
      lastClass = kind
      scalars[count] = value
      count += 1
    }
    scalars.removeLast(scalars.count - count)
  }

  private static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if second < 0x300 { return nil }
    if (leads..<leads + leadCount).contains(first), (vowels..<vowels + vowelCount).contains(second)
    {
      let index = (first - leads) * vowelCount + second - vowels
      return syllables.lowerBound + index * trailCount
    }
    if syllables.contains(first), (first - syllables.lowerBound) % trailCount == 0,
      (trails + 1..<trails + trailCount).contains(second)
    {
      return first + second - trails
    }
    return CanonicalDecompositions.composites[UInt64(first) << 32 | UInt64(second)]
  }
}
