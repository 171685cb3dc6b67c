/// What letters are told apart by: alphabets, and Han and kana together, which Japanese mixes.
///
/// Only those in wide use are told apart by name; letters of all others count as one.
enum WritingSystem: String, CaseIterable, Sendable {
  case latin, greek, cyrillic, armenian, hebrew, arabic, indic, thai, georgian, hangul, han, other

  /// The system of a letter; nil for what is no letter.
  init?(_ scalar: Unicode.Scalar) {
    guard scalar.properties.isAlphabetic else { return nil }
    switch scalar.value {
    case 0x41...0x24F, 0x1E00...0x1EFF, 0x2C60...0x2C7F, 0xA720...0xA7FF, 0xFB00...0xFB06,
      0xFF21...0xFF5A:
      self = .latin
    case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
    case 0x400...0x52F, 0x1C80...0x1C8F, 0x2DE0...0x2DFF, 0xA640...0xA69F: self = .cyrillic
    case 0x530...0x58F: self = .armenian
    case 0x590...0x5FF, 0xFB1D...0xFB4F: self = .hebrew
    case 0x600...0x77F, 0x8A0...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFF: self = .arabic
    case 0x900...0xDFF: self = .indic
    case 0xE00...0xE7F: self = .thai
    case 0x10A0...0x10FF, 0x1C90...0x1CBF, 0x2D00...0x2D2F: self = .georgian
    case 0x1100...0x11FF, 0x3130...0x318F, 0xA960...0xA97F, 0xAC00...0xD7FF: self = .hangul
    case 0x2E80...0x312F, 0x31A0...0x31FF, 0x3400...0x9FFF, 0xF900...0xFAFF, 0xFF66...0xFF9F,
      0x20000...0x3FFFF:
      self = .han
    default: self = .other
    }
  }

  /// How many letters of each a text has.
  static func counts(_ text: String) -> [WritingSystem: Int] {
    var counts: [WritingSystem: Int] = [:]
    for scalar in text.unicodeScalars {
      if let system = WritingSystem(scalar) { counts[system, default: 0] += 1 }
    }
    return counts
  }
}
