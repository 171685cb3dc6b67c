/// What the patterns of pre-tokenizers tell apart.
package enum CharacterClass: UInt8 {
  /// Neither of the others: punctuation, symbols, marks, controls, unassigned.
  case other
  /// `\p{L}`
  case letter
  /// `\p{N}`
  case number
  /// `\s`: White_Space
  case space

  /// [0x10000] the classes of the basic plane, as asking Unicode takes ten times as long.
  private static let basicPlane: [CharacterClass] = (0..<0x10000).map { classify($0) }

  /// The class of a Unicode scalar value.
  @inline(__always)
  package init(_ value: UInt32) {
    self = value < 0x10000 ? Self.basicPlane[Int(value)] : Self.classify(value)
  }

  private static func classify(_ value: UInt32) -> CharacterClass {
    guard let properties = Unicode.Scalar(value)?.properties else { return .other }
    if properties.isWhitespace { return .space }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return .other
    }
  }
}

extension CharacterClass {
  /// Whether huggingface/tokenizers takes a character for punctuation: ASCII's, symbols included, and
  /// that of Unicode 8.
  static func isPunctuation(_ value: UInt32) -> Bool {
    if value < 0x80 {
      switch UInt8(value) {
      case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
      default: return false
      }
    }
    // Two were punctuation in Unicode 8, and are not now.
    if value == 0x166D || value == 0x111C9 { return true }
    guard let properties = Unicode.Scalar(value)?.properties else { return false }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return properties.age.map { $0.major <= 8 } ?? false
    default: return false
    }
  }
}
