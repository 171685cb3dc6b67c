import Files

/// The vocabulary and merges of a byte-pair encoding.
struct BytePairModel: PieceModel {
  /// What the merging of a word begins with.
  enum Symbols: Equatable, Sendable {
    /// Its bytes. Pieces are kept as the bytes they stand for.
    case bytes
    /// Its Unicode scalars, and, if so, the bytes of those outside the vocabulary. Pieces are kept
    /// as spelled, with "▁" for a space.
    case scalars(byteFallback: Bool)
  }

  let symbols: Symbols
  /// The pieces, numbered in the file's order.
  let pieces: ByteStringTable
  /// [pieces.count] the token of each piece.
  let tokens: [Token]
  /// [largest token + 1] the piece of each token, -1 where it has none.
  private let pieceOfToken: [Int32]
  /// Tokens that are no pieces, and the text of each.
  private let foreign: [Token: [UInt8]]
  let merges: MergeTable
  /// [256] the token of each single byte (for scalars: of the piece `<0xNN>`), -1 for none.
  let byteTokens: [Token]
  /// The token of what the vocabulary cannot spell; without one it is left out.
  let unknownToken: Token?
  /// Whether neighbouring unknown tokens become one.
  let fusesUnknown: Bool
  /// Which words that are pieces are taken as those pieces without merging.
  let wholeWords: WholeWords

  enum WholeWords: Sendable {
    case none
    /// Those of line breaks alone.
    case lineBreaks
    case all
  }

  /// Puts a model together. All tokens must be distinct and not negative.
  init(
    symbols: Symbols, pieces: ByteStringTable, tokens: [Token], foreign: [Token: [UInt8]] = [:],
    merges: MergeTable,
    unknownToken: Token? = nil, fusesUnknown: Bool = false, wholeWords: WholeWords = .none
  ) {
    self.symbols = symbols
    self.pieces = pieces
    self.tokens = tokens
    self.foreign = foreign
    self.merges = merges
    self.unknownToken = unknownToken
    self.fusesUnknown = fusesUnknown
    self.wholeWords = wholeWords
    let last = max(tokens.max() ?? -1, foreign.keys.max() ?? -1)
    var pieceOfToken = [Int32](repeating: -1, count: Int(last) + 1)
    for (piece, token) in tokens.enumerated() { pieceOfToken[Int(token)] = Int32(piece) }
    self.pieceOfToken = pieceOfToken
    byteTokens = (0..<256).map { byte in
      let piece =
        symbols == .bytes
        ? pieces.index(of: [UInt8(byte)]) : pieces.index(of: BytePiece.spelling(of: UInt8(byte)))
      return piece.map { tokens[$0] } ?? -1
    }
  }

  var isByteLevel: Bool { symbols == .bytes }

  /// One more than the largest token.
  var vocabularySize: Int { pieceOfToken.count }

  private func piece(of token: Token) -> ArraySlice<UInt8>? {
    guard pieceOfToken.indices.contains(Int(token)), pieceOfToken[Int(token)] >= 0 else {
      return nil
    }
    return pieces[Int(pieceOfToken[Int(token)])]
  }

  /// A token's spelling in the vocabulary file.
  func spelling(of token: Token) -> String? {
    if let text = foreign[token] { return String(decoding: text, as: UTF8.self) }
    return piece(of: token).map {
      symbols == .bytes ? ByteAlphabet.spelling(of: $0) : String(decoding: $0, as: UTF8.self)
    }
  }

  /// The token with a spelling in the vocabulary file.
  func token(ofSpelling spelling: String) -> Token? {
    let piece =
      symbols == .bytes
      ? ByteAlphabet.bytes(ofSpelling: spelling.utf8).flatMap { pieces.index(of: $0) }
      : pieces.index(of: Array(spelling.utf8))
    return piece.map { tokens[$0] }
  }

  /// A token's bytes: for byte symbols those it stands for, otherwise its spelling.
  func bytes(of token: Token) -> ArraySlice<UInt8> {
    piece(of: token) ?? foreign[token]?[...] ?? []
  }

  /// Appends the tokens of a word, given in UTF-8 with spaces as the pieces have them.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, with merger: inout BytePairMerger, into ids: inout [Token]
  ) {
    if takesWhole(word), let piece = pieces.index(of: word) { return ids.append(tokens[piece]) }
    var symbols: [Token] = []
    symbols.reserveCapacity(word.count)
    if case .scalars(let byteFallback) = self.symbols {
      appendScalars(of: word, byteFallback: byteFallback, to: &symbols)
    } else {
      for byte in word {
        let token = byteTokens[Int(byte)]
        append(token < 0 ? unknownToken : token, to: &symbols)
      }
    }
    merger.merge(symbols, with: merges, into: &ids)
  }

  private func takesWhole(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
    switch wholeWords {
    case .none: false
    case .lineBreaks: word.allSatisfy { $0 == UInt8(ascii: "\n") }
    case .all: true
    }
  }

  private func appendScalars(
    of word: UnsafeBufferPointer<UInt8>, byteFallback: Bool, to symbols: inout [Token]
  ) {
    var start = 0
    while start < word.count {
      let end = start + UTF8Scalars.length(word[start])
      let scalar = UnsafeBufferPointer(rebasing: word[start..<end])
      if let piece = pieces.index(of: scalar) {
        symbols.append(tokens[piece])
      } else if byteFallback, scalar.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
        for byte in scalar { symbols.append(byteTokens[Int(byte)]) }
      } else {
        append(unknownToken, to: &symbols)
      }
      start = end
    }
  }

  private func append(_ symbol: Token?, to symbols: inout [Token]) {
    guard let symbol else { return }
    if fusesUnknown, symbol == unknownToken, symbols.last == symbol { return }
    symbols.append(symbol)
  }
}
