import Files
import Foundation
import TestSupport
import Testing
import Text

@Suite struct SentencePieceTokenizerTests {
  static let words = ["▁", "a", "b", "c", "ab", "▁a", "▁ab", "abc", "▁▁", "é"]

  static func tokenizer(
    dummyPrefix: Bool = false, extraSpaces: Bool = false, addsEnd: Bool = false
  ) throws -> SentencePieceTokenizer {
    var builder = SentencePieceModelBuilder(
      words: words, extra: [("<mask>", .control), ("\n", .userDefined)])
    builder.addsDummyPrefix = dummyPrefix
    builder.removesExtraSpaces = extraSpaces
    return try SentencePieceTokenizer(model: builder.data, name: "small", addsEnd: addsEnd)
  }

  @Test func findsPieces() throws {
    let tokenizer = try Self.tokenizer()
    #expect(tokenizer.vocabularySize == 5 + 256 + Self.words.count)
    #expect(tokenizer.beginToken == 1)
    #expect(tokenizer.endTokens == [2])
    #expect(tokenizer.id(of: "<mask>") == 3)
    #expect(tokenizer.id(of: "no such piece") == nil)
    #expect(tokenizer.piece(of: 4) == "\n")
    #expect(tokenizer.piece(of: -1) == nil)
    #expect(tokenizer.piece(of: 100_000) == nil)
    #expect(
      [0, 1, 2, 3, 4, -1, 100_000].map { tokenizer.isSpecial($0) }
        == [false, true, true, true, false, false, false])
    #expect(tokenizer.bytes(of: 5 + 0xE2) == [0xE2])
    #expect(tokenizer.bytes(of: try #require(tokenizer.id(of: "▁ab"))) == Array(" ab".utf8))
    #expect(tokenizer.bytes(of: 1) == [])
    #expect(tokenizer.bytes(of: 100_000) == [])
  }

  @Test func encodesTextAndSpecialTokens() throws {
    let tokenizer = try Self.tokenizer(addsEnd: true)
    func id(_ piece: String) throws -> Token { try #require(tokenizer.id(of: piece)) }
    #expect(
      try tokenizer.encode("abc ab\n", addSpecial: false)
        == [id("abc"), id("▁ab"), id("\n")])
    #expect(try tokenizer.encode("a", addSpecial: true) == [1, id("a"), 2])
    #expect(try tokenizer.encode("", addSpecial: true) == [1, 2])
    #expect(try tokenizer.encode("", addSpecial: false) == [])
    #expect(
      try tokenizer.encode("a</s><mask>b", addSpecial: false, parseSpecial: true)
        == [id("a"), 2, 3, id("b")])
    // Without parsing, a special token's spelling is text, and no control piece comes out of it.
    let text = "a</s><mask>b"
    let ids = try tokenizer.encode(text, addSpecial: false)
    #expect(!ids.contains { tokenizer.isSpecial($0) })
    #expect(tokenizer.decode(ids, skipSpecial: true) == text)
  }

  @Test func decodesLeadingSpacesByTheModelsRule() throws {
    let keep = try Self.tokenizer()
    let one = try Self.tokenizer(dummyPrefix: true)
    let all = try Self.tokenizer(dummyPrefix: true, extraSpaces: true)
    #expect([keep, one, all].map(\.leadingSpaceRule) == [.keep, .dropOne, .dropAll])
    let space = try #require(keep.id(of: "▁"))
    let word = try #require(keep.id(of: "▁ab"))
    #expect(
      [keep, one, all].map { $0.decode([space, word, word], skipSpecial: true) }
        == ["  ab ab", " ab ab", "ab ab"])
    #expect(one.decode([1, word, 2], skipSpecial: true) == "ab")
    #expect(one.decode([1, word, 2], skipSpecial: false) == "<s> ab</s>")
    #expect(try one.encode("ab", addSpecial: false) == [word])
  }

  @Test func refusesDamagedModels() throws {
    let model = SentencePieceModelBuilder(words: Self.words).data
    #expect(throws: SpeculateError("m is not a SentencePiece model: it has no pieces")) {
      try SentencePieceTokenizer(model: Data(), name: "m")
    }
    for missing in 1...8 {
      #expect(
        throws: SpeculateError("m is truncated or not a SentencePiece model; copy the file again")
      ) { try SentencePieceTokenizer(model: model.dropLast(missing), name: "m") }
    }
    var suffix = SentencePieceModelBuilder(words: Self.words)
    suffix.suffixSpace = true
    #expect(
      throws: SpeculateError(
        "m: treat_whitespace_as_suffix is not supported; use a model without it")
    ) { try SentencePieceTokenizer(model: suffix.data, name: "m") }
    var twice = SentencePieceModelBuilder(words: Self.words)
    twice.pieces.append((text: "ab", kind: .normal))
    let error = try #require(throws: SpeculateError.self) {
      try SentencePieceTokenizer(model: twice.data, name: "m")
    }
    #expect(error.description.hasPrefix("m is not a usable SentencePiece model: "))
    #expect(!error.description.contains("\n"))
  }

  @Test func survivesRandomDamage() throws {
    let model = SentencePieceModelBuilder(words: Self.words).data
    var random = SplitMix(seed: 1)
    var refused = 0
    for _ in 0..<300 {
      var damaged = model
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<damaged.count, using: &random)
        damaged[index] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        let tokenizer = try SentencePieceTokenizer(model: damaged, name: "m")
        _ = tokenizer.decode(try tokenizer.encode("abc ab é", addSpecial: true), skipSpecial: true)
      } catch is SpeculateError { refused += 1 }
    }
    #expect(refused > 0 && refused < 300)
  }

  @Test func roundTripsRandomText() throws {
    let tokenizer = try Self.tokenizer()
    var random = SplitMix(seed: 2)
    for _ in 0..<500 {
      let text = RandomText.withoutMetaspace(maximum: 40, using: &random)
      let ids = try tokenizer.encode(text, addSpecial: true)
      #expect(Array(tokenizer.decode(ids, skipSpecial: true).utf8) == Array(text.utf8))
    }
  }
}
