import Files
import Testing
import Text

/// What every stream of tokens must satisfy.
enum StreamingCheck {
  /// Whether the streamed pieces, joined, are the text decoded at once, and no piece but the last
  /// contains a replacement character that the whole text does not have.
  static func holds(for ids: [Token], of tokenizer: any Tokenizer) -> Bool {
    for skip in [true, false] {
      var stream = StreamingDetokenizer(tokenizer, skipSpecial: skip)
      var pieces = ids.map { stream.append($0) }
      pieces.append(stream.finish())
      let whole = tokenizer.decode(ids, skipSpecial: skip)
      guard pieces.flatMap({ Array($0.utf8) }) == Array(whole.utf8) else { return false }
      guard stream.finish().isEmpty else { return false }
    }
    return true
  }
}

@Suite struct StreamingDetokenizerTests {
  /// The ids of bytes in the small model of ``SentencePieceTokenizerTests``.
  static func ids(_ bytes: [UInt8]) -> [Token] { bytes.map { 5 + Token($0) } }

  static func pieces(_ bytes: [UInt8]) throws -> [String] {
    var stream = StreamingDetokenizer(try SentencePieceTokenizerTests.tokenizer())
    return ids(bytes).map { stream.append($0) } + [stream.finish()]
  }

  @Test func waitsForWholeCharacters() throws {
    #expect(try Self.pieces(Array("é".utf8)) == ["", "é", ""])
    #expect(try Self.pieces(Array("€a".utf8)) == ["", "", "€", "a", ""])
    #expect(try Self.pieces(Array("🙂".utf8)) == ["", "", "", "🙂", ""])
  }

  @Test func replacesWhatIsNoCharacter() throws {
    #expect(try Self.pieces([0xE2, 0x82]) == ["", "", "\u{FFFD}"])
    #expect(try Self.pieces([0xE2, 0x41]) == ["", "\u{FFFD}A", ""])
    #expect(try Self.pieces([0xC0, 0x80]) == ["\u{FFFD}", "\u{FFFD}", ""])
    // A surrogate and a character beyond U+10FFFF: refused at the second byte already.
    #expect(try Self.pieces([0xED, 0xA0]) == ["", "\u{FFFD}\u{FFFD}", ""])
    #expect(try Self.pieces([0xF4, 0x90]) == ["", "\u{FFFD}\u{FFFD}", ""])
    // Characters in more bytes than they need.
    #expect(try Self.pieces([0xE0, 0x9F]) == ["", "\u{FFFD}\u{FFFD}", ""])
    #expect(try Self.pieces([0xF0, 0x8F]) == ["", "\u{FFFD}\u{FFFD}", ""])
    #expect(try Self.pieces([0xF0, 0x9F, 0xF0]) == ["", "", "\u{FFFD}", "\u{FFFD}"])
  }

  @Test func dropsALeadingSpaceOnlyAtTheBeginning() throws {
    let tokenizer = try SentencePieceTokenizerTests.tokenizer(dummyPrefix: true)
    let word = try #require(tokenizer.id(of: "▁ab"))
    var fresh = StreamingDetokenizer(tokenizer)
    #expect([fresh.append(1), fresh.append(word), fresh.append(word)] == ["", "ab", " ab"])
    var continuing = StreamingDetokenizer(tokenizer, continuing: true)
    #expect(continuing.append(word) == " ab")
    var shown = StreamingDetokenizer(tokenizer, skipSpecial: false)
    #expect([shown.append(1), shown.append(word)] == ["<s>", " ab"])
  }

  @Test(arguments: [LeadingSpaceRule.keep, .dropOne, .dropAll])
  func equalsDecodingAtOnceOnRandomTokens(rule: LeadingSpaceRule) throws {
    let tokenizer = try SentencePieceTokenizerTests.tokenizer(
      dummyPrefix: rule != .keep, extraSpaces: rule == .dropAll)
    #expect(tokenizer.leadingSpaceRule == rule)
    var random = SplitMix(seed: 4)
    // Bytes that begin, continue and break characters, spaces, words, control pieces, no pieces.
    let bytes: [UInt8] = [
      0x20, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE2, 0xED,
      0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF,
    ]
    let words = Array(Token(261)..<Token(tokenizer.vocabularySize))
    let candidates = Self.ids(bytes + bytes) + words + [0, 1, 3, -5, 9_999]
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...8, using: &random)
      let ids = (0..<count).map { _ in candidates.randomElement(using: &random) ?? 0 }
      #expect(StreamingCheck.holds(for: ids, of: tokenizer), "\(ids)")
    }
  }
}
