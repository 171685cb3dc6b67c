import Files

/// The vocabulary of a tokenizer, and how words become its pieces.
protocol PieceModel: Sendable {
  /// Whether pieces stand for bytes as they are; otherwise a `PieceDecoder` says what they add to a text.
  var isByteLevel: Bool { get }

  /// One more than the largest token.
  var vocabularySize: Int { get }

  /// A token's spelling in the vocabulary file.
  func spelling(of token: Token) -> String?

  /// The token with a spelling in the vocabulary file.
  func token(ofSpelling spelling: String) -> Token?

  /// A token's bytes: if `isByteLevel` those it stands for, otherwise its spelling; empty without a piece.
  func bytes(of token: Token) -> ArraySlice<UInt8>

  /// Appends the tokens of a word, given in UTF-8 with spaces as the pieces have them.
  ///
  /// - Parameter merger: Memory for merges, kept from word to word.
  /// - Throws: `SpeculateError` when the vocabulary can't spell the word and has no token for that.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, with merger: inout BytePairMerger, into ids: inout [Token]
  ) throws
}

/// `<0xNN>`, the piece of a byte.
enum BytePiece {
  /// The spelling of a byte's piece.
  static func spelling(of byte: UInt8) -> [UInt8] {
    let digits = String(byte, radix: 16, uppercase: true)
    return Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8)
  }

  /// The byte of a spelling, nil if it is none of a byte.
  static func byte(of spelling: some BidirectionalCollection<UInt8>) -> UInt8? {
    guard spelling.count == 6, spelling.starts(with: "<0x".utf8), spelling.last == UInt8(ascii: ">")
    else { return nil }
    let digits = spelling.dropFirst(3).dropLast()
    guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else { return nil }
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
