import Files
import Foundation
import TestSupport
import Testing
import Text

/// Real vocabularies from the shared data folder.
@Suite struct BytePairVectorTests {
  static let gpt2 = TestFiles.data("tokenizers/gpt2")
  static let qwen = TestFiles.data("tokenizers/qwen")
  static let stories = TestFiles.data("models/tinystories-656k")
  static let greedy = TestFiles.data("reference/tinystories-656k.json")
  static let french = TestFiles.data("reference/swift-transformers/gpt2_encoded_tokens.json")

  /// The vectors of llama-bpe are not among these: no vocabulary of Llama 3 is in the data folder.
  @Test(
    .enabled(
      if: TestFiles.exist(gpt2, qwen, TokenizerVectors.file("qwen2", "inp")),
      "../shared/data/tokenizers is absent"),
    arguments: [("gpt-2", gpt2), ("qwen2", qwen)])
  func equalsLlamaVectors(kind: String, folder: URL) throws {
    let tokenizer = try TokenizerLoader.load(directory: folder)
    let vectors = try TokenizerVectors(kind)
    #expect(vectors.texts.count == 46 && vectors.ids.count == 46)
    for (text, ids) in zip(vectors.texts, vectors.ids) {
      #expect(try tokenizer.encode(text, addSpecial: false) == ids, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids, skipSpecial: true) == text, "\(text.debugDescription)")
    }
  }

  @Test(.enabled(if: TestFiles.exist(gpt2, french), "../shared/data/reference is absent"))
  func equalsSwiftTransformers() throws {
    let tokenizer = try TokenizerLoader.load(directory: Self.gpt2)
    let reference = try TokenizerReference(Self.french)
    #expect(try tokenizer.encode(reference.text, addSpecial: true) == reference.tokenIds)
    #expect(tokenizer.decode(reference.tokenIds, skipSpecial: true) == reference.decodedText)
    #expect(reference.tokenIds.map { tokenizer.piece(of: $0) } == reference.bpeTokens)
    #expect(reference.bpeTokens.map { tokenizer.id(of: $0) } == reference.tokenIds)
  }

  @Test(.enabled(if: TestFiles.exist(gpt2), "../shared/data/tokenizers is absent"))
  func knowsTheEndOfGPT2Texts() throws {
    let tokenizer = try TokenizerLoader.load(directory: Self.gpt2)
    #expect(tokenizer.vocabularySize == 50_257)
    #expect(tokenizer.beginToken == 50_256 && tokenizer.endTokens == [50_256])
    let text = "a<|endoftext|>"
    #expect(try tokenizer.encode(text, addSpecial: true, parseSpecial: true) == [64, 50_256])
    #expect(try tokenizer.encode(text, addSpecial: true).count > 2)
  }

  @Test(.enabled(if: TestFiles.exist(stories, greedy), "../shared/data/models is absent"))
  func equalsTheStoriesPrompts() throws {
    struct Story: Decodable {
      var prompt: String
      var promptIds: [Token]
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let stories = try decoder.decode([Story].self, from: Data(contentsOf: Self.greedy))
    let tokenizer = try TokenizerLoader.load(directory: Self.stories)
    #expect(tokenizer.vocabularySize == 2048)
    #expect(tokenizer.beginToken == 1 && tokenizer.endTokens == [2])
    #expect(!stories.isEmpty)
    for story in stories {
      #expect(try tokenizer.encode(story.prompt, addSpecial: true) == story.promptIds)
      #expect(tokenizer.decode(story.promptIds, skipSpecial: true) == story.prompt)
    }
  }

  /// Every text comes back byte for byte; with Qwen's normalization, a text that is composed.
  @Test(
    .enabled(if: TestFiles.exist(gpt2, qwen), "../shared/data/tokenizers is absent"),
    arguments: [gpt2, qwen])
  func roundTripsAndStreams(folder: URL) throws {
    let tokenizer = try TokenizerLoader.load(directory: folder)
    var random = SplitMix(seed: 9)
    var exact = 0
    for _ in 0..<2000 {
      let text = RandomText.text(maximum: 40, using: &random)
      let ids = try tokenizer.encode(text, addSpecial: true)
      let decoded = tokenizer.decode(ids, skipSpecial: true)
      // Swift compares strings up to canonical equivalence, which is what NFC keeps.
      #expect(decoded == text)
      if decoded.utf8.elementsEqual(text.utf8) { exact += 1 }
      #expect(try tokenizer.encode(decoded, addSpecial: true) == ids)
      #expect(StreamingCheck.holds(for: ids, of: tokenizer))
    }
    #expect(folder == Self.gpt2 ? exact == 2000 : exact > 1000)
  }

  /// Random tokens make bytes that are no text: streaming must not differ from decoding at once.
  @Test(
    .enabled(if: TestFiles.exist(gpt2, qwen, stories), "../shared/data is absent"),
    arguments: [gpt2, qwen, stories])
  func streamsRandomTokens(folder: URL) throws {
    let tokenizer = try TokenizerLoader.load(directory: folder)
    var random = SplitMix(seed: 10)
    for _ in 0..<2000 {
      let ids = (0..<12).map { _ in
        Token.random(in: 0..<Token(tokenizer.vocabularySize) + 20, using: &random)
      }
      #expect(StreamingCheck.holds(for: ids, of: tokenizer))
    }
  }

  @Test(.enabled(if: TestFiles.exist(qwen), "../shared/data/tokenizers is absent"))
  func findsSpecialTokensOnlyWhenAsked() throws {
    let tokenizer = try TokenizerLoader.load(directory: Self.qwen)
    let text = "<|im_start|>user\nHi<|im_end|>"
    #expect(
      try tokenizer.encode(text, addSpecial: true, parseSpecial: true)
        == [151_644, 872, 198, 13_048, 151_645])
    let plain = try tokenizer.encode(text, addSpecial: true)
    #expect(!plain.contains { tokenizer.isSpecial($0) })
    #expect(tokenizer.decode(plain, skipSpecial: true) == text)
    #expect(tokenizer.bytes(of: 151_644) == [] && tokenizer.bytes(of: 151_935) == [])
    #expect(tokenizer.id(of: "<|im_end|>") == 151_645)
  }
}
