import Files
import TestSupport
import Text

/// A tokenizer for the tiny model, of what JSON is made of: characters, some pieces of several, and the end token.
struct CharacterTokenizer: Tokenizer {
  static let pieces =
    "{}[]\",:0123456789.- abcdeghiklmnorstu\\".map(String.init)
    + [
      "{\"", "\": ", "\"}", "\", \"", "na", "me", "name", "true", "\",", " \"", "12", "}]", "ag",
      "é",
    ]

  let vocabularySize = TinyModels.vocabulary
  let beginToken: Token? = nil
  let endTokens: [Token] = [60]
  let leadingSpaceRule = LeadingSpaceRule.keep

  func piece(of id: Token) -> String? {
    Self.pieces.indices.contains(Int(id)) ? Self.pieces[Int(id)] : id == 60 ? "</s>" : nil
  }
  func bytes(of id: Token) -> [UInt8] {
    Self.pieces.indices.contains(Int(id)) ? Array(Self.pieces[Int(id)].utf8) : []
  }
  func isSpecial(_ id: Token) -> Bool { id == 60 }
  func id(of piece: String) -> Token? {
    piece == "</s>" ? 60 : Self.pieces.firstIndex(of: piece).map { Token($0) }
  }

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [Token] {
    var rest = Substring(text)
    var ids: [Token] = []
    while !rest.isEmpty {
      let best = Self.pieces.indices.filter { rest.hasPrefix(Self.pieces[$0]) }
        .max { Self.pieces[$0].count < Self.pieces[$1].count }
      guard let best else { break }
      ids.append(Token(best))
      rest = rest.dropFirst(Self.pieces[best].count)
    }
    return ids
  }
}
