package import Files
package import Text

/// A token for each byte, and the special tokens `<u>` and `<e>`.
package struct MarkupTokenizer: Tokenizer {
  private let special: [(spelling: String, id: Token)] = [("<u>", 300), ("<e>", 301)]

  package init() {}

  package func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [Token] {
    var ids: [Token] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.first {
      let found = parseSpecial ? special.first { rest.starts(with: $0.spelling.utf8) } : nil
      ids.append(found?.id ?? Token(byte))
      rest = rest.dropFirst(found?.spelling.utf8.count ?? 1)
    }
    return ids
  }

  package func bytes(of id: Token) -> [UInt8] { UInt8(exactly: id).map { [$0] } ?? [] }
  package func isSpecial(_ id: Token) -> Bool { id >= 300 }
  package func piece(of id: Token) -> String? {
    special.first { $0.id == id }?.spelling ?? UInt8(exactly: id).map { "<0x\($0)>" }
  }
  package func id(of piece: String) -> Token? { special.first { $0.spelling == piece }?.id }
  package var vocabularySize: Int { 302 }
  package var beginToken: Token? { nil }
  package var endTokens: [Token] { [301] }
  package var leadingSpaceRule: LeadingSpaceRule { .keep }
}
