import Files
import Text

/// A tokenizer of the pieces of a list, of which the longest that fits is taken, and of special tokens behind them.
struct PieceListTokenizer: Tokenizer {
  let pieces: [String]
  let special: [String]
  let leadingSpaceRule = LeadingSpaceRule.keep

  init(_ pieces: [String], special: [String]) {
    self.pieces = pieces
    self.special = special
  }

  var vocabularySize: Int { pieces.count + special.count }
  var beginToken: Token? { nil }
  var endTokens: [Token] { special.isEmpty ? [] : [Token(pieces.count)] }

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [Token] {
    var rest = Substring(text)
    var ids: [Token] = []
    while !rest.isEmpty {
      let best = pieces.indices.filter { !pieces[$0].isEmpty && rest.hasPrefix(pieces[$0]) }
        .max { pieces[$0].count < pieces[$1].count }
      guard let best else { break }
      ids.append(Token(best))
      rest = rest.dropFirst(pieces[best].count)
    }
    return ids
  }

  func bytes(of id: Token) -> [UInt8] {
    pieces.indices.contains(Int(id)) ? Array(pieces[Int(id)].utf8) : []
  }
  func isSpecial(_ id: Token) -> Bool { Int(id) >= pieces.count }
  func piece(of id: Token) -> String? {
    Int(id) < pieces.count
      ? pieces[Int(id)]
      : special.indices.contains(Int(id) - pieces.count) ? special[Int(id) - pieces.count] : nil
  }
  func id(of piece: String) -> Token? {
    (0..<Token(vocabularySize)).first { self.piece(of: $0) == piece }
  }
}
