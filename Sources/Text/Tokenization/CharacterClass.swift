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
