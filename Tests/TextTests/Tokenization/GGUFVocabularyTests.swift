import Files
import Foundation
import TestSupport
import Testing
import Text

/// Vocabularies as GGUF files hold them, with the ids of llama.cpp and SentencePiece:
/// Tests/Fixtures/tokenizers/vocabularies.py.
@Suite struct GGUFVocabularyTests {
  struct Fixture: Decodable {
    struct BytePairs: Decodable {
      var tokens: [String]
      var types: [Int32]
      var merges: [String]
      /// The ids of `texts` by the name of the pre-tokenizer.
      var ids: [String: [[Token]]]
      /// The ids of `plainTexts`, for names whose pattern llama.cpp has only adapted.
      var plain: [String: [[Token]]]
    }
    struct Gemma: Decodable {
      var tokens: [String]
      var types: [Int32]
      var merges: [String]
      var ids: [[Token]]
      /// With special tokens, added and found.
      var special: [[Token]]
    }
    struct Unigrams: Decodable {
      var tokens: [String]
      var types: [Int32]
      var scores: [Float]
      /// A map of characters, base64.
      var map: String
      var ids: [[Token]]
    }
    var texts: [String]
    var plainTexts: [String]
    var gpt2: BytePairs
    var gemma4: Gemma
    var t5: Unigrams
  }

  typealias Metadata = [(key: String, value: GGUFValue)]

  static func fixture() throws -> Fixture {
    let file = TokenizerFixtureTests.folder.appending(path: "vocabularies.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
  }

  static func metadata(_ model: String, _ tokens: [String], _ types: [Int32]) -> Metadata {
    [
      ("tokenizer.ggml.model", .string(model)),
      ("tokenizer.ggml.tokens", .array(GGUFArray(strings: tokens))),
      ("tokenizer.ggml.token_type", .array(GGUFArray(types.map { .int32($0) }, of: .int32))),
    ]
  }

  static func load(_ metadata: Metadata) throws -> any Tokenizer {
    let folder = try TemporaryFolder()
    let url = folder.file("vocabulary.gguf")
    try GGUFWriter.write(metadata: metadata, [], to: url)
    return try TokenizerLoader.load(directory: url)
  }

  static func t5(_ unigrams: Fixture.Unigrams) throws -> Metadata {
    let map = try #require(Data(base64Encoded: unigrams.map))
    return metadata("t5", unigrams.tokens, unigrams.types) + [
      (
        "tokenizer.ggml.scores",
        .array(GGUFArray(unigrams.scores.map { .float32($0) }, of: .float32))
      ),
      (
        "tokenizer.ggml.precompiled_charsmap",
        .array(GGUFArray(map.map { .uint8($0) }, of: .uint8))
      ),
      ("tokenizer.ggml.eos_token_id", .uint32(1)), ("tokenizer.ggml.unknown_token_id", .uint32(2)),
    ]
  }

  @Test func everyPatternCutsAsLlamaDoes() throws {
    let fixture = try Self.fixture()
    let gpt2 = fixture.gpt2
    #expect(gpt2.ids.count == 21 && gpt2.plain.count == 8)
    #expect(fixture.texts.count > 70 && fixture.plainTexts.count > 25)
    for (lists, texts) in [(gpt2.ids, fixture.texts), (gpt2.plain, fixture.plainTexts)] {
      for (name, ids) in lists {
        let tokenizer = try Self.load(
          Self.metadata("gpt2", gpt2.tokens, gpt2.types) + [
            ("tokenizer.ggml.pre", .string(name)),
            ("tokenizer.ggml.merges", .array(GGUFArray(strings: gpt2.merges))),
          ])
        #expect(ids.count == texts.count)
        for (text, ids) in zip(texts, ids) {
          let found = try tokenizer.encode(text, addSpecial: false)
          #expect(found == ids, "\(name): \(text.debugDescription)")
        }
      }
    }
  }

  /// The names that the error lists: each loads a vocabulary.
  @Test func everyNameLoads() throws {
    let tokens = ["a", "b", "ab"]
    func load(_ name: String) throws -> any Tokenizer {
      try Self.load(
        Self.metadata("gpt2", tokens, [1, 1, 1]) + [
          ("tokenizer.ggml.pre", .string(name)),
          ("tokenizer.ggml.merges", .array(GGUFArray(strings: ["a b"]))),
        ])
    }
    let error = try #require(#expect(throws: SpeculateError.self) { _ = try load("no-such") })
    let names = error.description.split(separator: "use one of ")[1].components(
      separatedBy: ", ")
    #expect(names.count == 84 && names.contains("tekken") && names.contains("kimi-k2"))
    for name in names {
      #expect(try load(name).encode("ab", addSpecial: false) == [2], "\(name)")
    }
  }

  @Test func gemma4IsBytePairsOverCharacters() throws {
    let fixture = try Self.fixture()
    let gemma = fixture.gemma4
    let tokenizer = try Self.load(
      Self.metadata("gemma4", gemma.tokens, gemma.types) + [
        ("tokenizer.ggml.merges", .array(GGUFArray(strings: gemma.merges))),
        ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(0)),
      ])
    for (index, text) in fixture.texts.enumerated() {
      let ids = try tokenizer.encode(text, addSpecial: false)
      #expect(ids == gemma.ids[index], "\(text.debugDescription)")
      let special = try tokenizer.encode(text, addSpecial: true, parseSpecial: true)
      #expect(special == gemma.special[index], "\(text.debugDescription)")
      if !text.contains("▁") { #expect(tokenizer.decode(ids, skipSpecial: true) == text) }
      #expect(StreamingCheck.holds(for: ids, of: tokenizer))
    }
  }

  @Test func t5IsSentencePieceUnigrams() throws {
    let fixture = try Self.fixture()
    let tokenizer = try Self.load(Self.t5(fixture.t5))
    for (text, ids) in zip(fixture.texts, fixture.t5.ids) {
      #expect(try tokenizer.encode(text, addSpecial: false) == ids, "\(text.debugDescription)")
      // Texts end by default, and have no beginning.
      #expect(try tokenizer.encode(text, addSpecial: true) == ids + [1])
    }
  }

  /// A damaged map of characters is refused before SentencePiece walks it.
  @Test func damagedMapsAreRefused() throws {
    let fixture = try Self.fixture()
    var random = SplitMix(seed: 21)
    var refused = 0
    for _ in 0..<fuzzRounds(200) {
      var unigrams = fixture.t5
      var bytes = Array(try #require(Data(base64Encoded: unigrams.map)))
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
      unigrams.map = Data(bytes).base64EncodedString()
      do {
        let tokenizer = try Self.load(Self.t5(unigrams))
        _ = try tokenizer.encode("e\u{301} é ½ 日\u{a0}\u{200d}ab", addSpecial: true)
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
        refused += 1
      }
    }
    #expect(refused > 0)
  }
}
