import Files
import Foundation
import TestSupport
import Testing
import Text

/// Small tokenizers of every supported shape, and what huggingface/tokenizers does with them:
/// Tests/Fixtures/tokenizers, made by make.py there.
@Suite struct TokenizerFixtureTests {
  struct Vectors: Decodable {
    struct Expected: Decodable {
      var size: Int
      /// Ids with no special tokens, neither added nor found.
      var plain: [[Token]]
      /// Ids with special tokens, added and found.
      var special: [[Token]]
      /// What `special` decodes to without special tokens.
      var skipped: [String]
      /// What `special` decodes to with them.
      var shown: [String]
    }
    var texts: [String]
    var tokenizers: [String: Expected]
  }

  static let folder = TestFiles.package.appending(path: "Tests/Fixtures/tokenizers")
  static let names = [
    "digits", "gpt2", "gpt2-prefix", "llama2", "llama3", "metaspace-first", "metaspace-never",
    "metaspace-split", "metaspace-split-fused", "qwen2",
  ]
  /// Those of pipelines.py.
  static let pipelines = [
    "bloom", "deepseek", "delimiters", "falcon", "gemma", "gpt4o", "metaspace-bytes", "pieces",
    "underscore", "unigram", "unigram-bytes", "unigram-map", "words",
  ]

  static func vectors(_ file: String) throws -> Vectors {
    try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: folder.appending(path: file)))
  }

  static func tokenizer(_ name: String) throws -> any Tokenizer {
    let file = folder.appending(path: "\(name).json")
    return try PieceTokenizer(json: Data(contentsOf: file), name: file.path)
  }

  @Test func fixturesAreAllTested() throws {
    #expect(try Self.vectors("vectors.json").tokenizers.keys.sorted() == Self.names)
    #expect(try Self.vectors("pipelines.json").tokenizers.keys.sorted() == Self.pipelines)
  }

  @Test(arguments: names) func equalsReference(name: String) throws {
    let vectors = try Self.vectors("vectors.json")
    #expect(vectors.texts.count == 138)
    try Self.compare(name, vectors)
  }

  @Test(arguments: pipelines) func pipelineEqualsReference(name: String) throws {
    let vectors = try Self.vectors("pipelines.json")
    #expect(vectors.texts.count == 77)
    try Self.compare(name, vectors)
  }

  private static func compare(_ name: String, _ vectors: Vectors) throws {
    let expected = try #require(vectors.tokenizers[name])
    let tokenizer = try tokenizer(name)
    #expect(tokenizer.vocabularySize == expected.size)
    for (index, text) in vectors.texts.enumerated() {
      let comment = Comment(rawValue: "\(index): \(text.debugDescription)")
      #expect(try tokenizer.encode(text, addSpecial: false) == expected.plain[index], comment)
      let special = expected.special[index]
      #expect(try tokenizer.encode(text, addSpecial: true, parseSpecial: true) == special, comment)
      let skipped = tokenizer.decode(special, skipSpecial: true)
      #expect(Array(skipped.utf8) == Array(expected.skipped[index].utf8), comment)
      let shown = tokenizer.decode(special, skipSpecial: false)
      #expect(Array(shown.utf8) == Array(expected.shown[index].utf8), comment)
      #expect(StreamingCheck.holds(for: special, of: tokenizer), comment)
    }
  }
}
