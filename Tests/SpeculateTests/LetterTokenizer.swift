import Files
import TestSupport
import Text

/// A tokenizer for the tiny model: token `t` is a letter, some are two, two are the halves of "é",
/// and the last is the end token.
struct LetterTokenizer: Tokenizer {
  let vocabularySize = TinyModels.vocabulary
  let beginToken: Token? = nil
  let endTokens: [Token] = [60]
  let leadingSpaceRule = LeadingSpaceRule.keep

  func piece(of id: Token) -> String? {
    guard (0..<61).contains(id) else { return nil }
    switch id {
    case 58, 59: return "half"
    case 60: return "</s>"
    case 26..<58: return String(Self.letter(id - 26)) + String(Self.letter(id * 7 % 26))
    default: return String(Self.letter(id))
    }
  }

  func bytes(of id: Token) -> [UInt8] {
    switch id {
    case 58: [0xC3]
    case 59: [0xA9]
    case 60: []
    default: Array((piece(of: id) ?? "").utf8)
    }
  }

  func isSpecial(_ id: Token) -> Bool { id == 60 }

  func id(of piece: String) -> Token? { (0..<60).first { self.piece(of: $0) == piece } }

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [Token] {
    text.utf8.compactMap { $0 >= 97 && $0 < 123 ? Token($0) - 97 : nil }
  }

  private static func letter(_ index: Token) -> Character {
    Character(UnicodeScalar(UInt8(97 + index % 26)))
  }
}
