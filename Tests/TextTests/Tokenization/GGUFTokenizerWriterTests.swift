import Files
import Foundation
import TestSupport
import Testing
import Text

/// Tokenizers written as the metadata of GGUF files, and back as files of a folder.
@Suite struct GGUFTokenizerWriterTests {
  private static let texts = [
    "Hello, world! It's 2024, isn't it?  Two  spaces\n\nand\tlines", "x = [1234567, 0xFF]; // Füße",
    "你好 e\u{301} 👩‍👩‍👧 ½", "", " ",
  ]

  private static func fixture(_ name: String) -> URL {
    TestFiles.package.appending(path: "Tests/Fixtures/tokenizers/\(name).json")
  }

  private func metadata(
    _ folder: URL, rows: Int, ends: [Token] = []
  ) throws -> [(key: String, value: GGUFValue)] {
    try GGUFTokenizerWriter(directory: folder, vocabularySize: rows, begin: nil, ends: ends)
      .metadata()
  }

  private func check(_ folder: TemporaryFolder, padding: Int = 3) throws -> GGUFFile {
    let tokenizer = try TokenizerLoader.load(directory: folder.url)
    let keys = try metadata(folder.url, rows: tokenizer.vocabularySize + padding)
    let file = folder.file("model.gguf")
    try GGUFWriter.write(metadata: keys, [], to: file)
    let back = folder.file("back")
    try FileManager.default.createDirectory(at: back, withIntermediateDirectories: false)
    for (name, content) in try GGUFTokenizerFiles.files(of: GGUFFile(url: file)) {
      try content.write(to: back.appending(path: name))
    }
    let others = [
      try TokenizerLoader.load(directory: file), try TokenizerLoader.load(directory: back),
    ]
    for other in others {
      for text in Self.texts {
        for isSpecial in [false, true] {
          #expect(
            try other.encode(text, addSpecial: isSpecial, parseSpecial: isSpecial)
              == tokenizer.encode(text, addSpecial: isSpecial, parseSpecial: isSpecial), "\(text)")
        }
      }
      #expect(other.beginToken == tokenizer.beginToken)
      for id in 0..<Token(tokenizer.vocabularySize) {
        #expect(other.isSpecial(id) == tokenizer.isSpecial(id), "\(id)")
        #expect(other.bytes(of: id) == tokenizer.bytes(of: id), "\(id)")
      }
    }
    return try GGUFFile(url: file)
  }

  /// Copies a fixture, but for what a GGUF file can't say: added tokens in normalized texts.
  private func copy(_ name: String, to folder: TemporaryFolder) throws {
    let text = try String(contentsOf: Self.fixture(name), encoding: .utf8)
      .replacing("\"normalized\": true", with: "\"normalized\": false")
      .replacing("\"normalized\":true", with: "\"normalized\":false")
    try Data(text.utf8).write(to: folder.file("tokenizer.json"))
  }

  @Test(arguments: [
    ("digits", "smollm"), ("qwen2", "qwen2"), ("llama3", "llama-bpe"),
  ])
  func bytePairs(name: String, pre: String) throws {
    let folder = try TemporaryFolder()
    try copy(name, to: folder)
    let file = try check(folder)
    #expect(file.metadata["tokenizer.ggml.model"]?.text == "gpt2")
    #expect(file.metadata["tokenizer.ggml.pre"]?.text == pre)
    let types = try #require(file.metadata["tokenizer.ggml.token_type"]?.array?.integers)
    #expect(types.suffix(3) == [5, 5, 5])
  }

  /// Of characters: scores follow from the order of merges.
  @Test func characterPairs() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: Self.fixture("llama2"), to: folder.file("tokenizer.json"))
    let tokenizer = try TokenizerLoader.load(directory: folder.url)
    let keys = try metadata(folder.url, rows: tokenizer.vocabularySize)
    let file = folder.file("model.gguf")
    try GGUFWriter.write(metadata: keys, [], to: file)
    let other = try TokenizerLoader.load(directory: file)
    for text in Self.texts {
      #expect(
        try other.encode(text, addSpecial: true) == tokenizer.encode(text, addSpecial: true),
        "\(text)")
    }
  }

  @Test func sentencePieces() throws {
    let folder = try TemporaryFolder()
    try SentencePieceModelBuilder(words: ["\u{2581}"], extra: [("<mask>", .control)]).data
      .write(to: folder.file("tokenizer.model"))
    try Data(
      #"{"add_bos_token": false, "bos_token": "<s>", "eos_token": "</s>", "chat_template": "{{x}}"}"#
        .utf8
    ).write(to: folder.file("tokenizer_config.json"))
    let file = try check(folder)
    #expect(file.metadata["tokenizer.ggml.model"]?.text == "llama")
    #expect(file.metadata["tokenizer.ggml.add_bos_token"]?.flag == false)
    #expect(file.metadata["tokenizer.chat_template"]?.text == "{{x}}")
    let back = try JSONValue(
      parsing: Data(contentsOf: folder.file("back").appending(path: "tokenizer_config.json")))
    #expect(back["chat_template"]?.text == "{{x}}" && back["eos_token"]?.text == "</s>")
  }

  /// Published tokenizers of the data folder, if they are there.
  @Test(
    .enabled(if: TestFiles.exist(TestFiles.data("tokenizers")), "../shared/data is absent"),
    arguments: [
      ("qwen", ["tokenizer.json": "tokenizer.json"]),
      ("gpt2", ["vocab.json": "vocab.json", "merges.txt": "merges.txt"]),
      ("llama2", ["tokenizer.model": "tokenizer.model"]),
      ("mistral", ["tokenizer.model.v1": "tokenizer.model"]),
      ("mistral", ["mistral_instruct_tokenizer_240323.model.v3": "tokenizer.model"]),
    ])
  func published(name: String, files: [String: String]) throws {
    let source = TestFiles.data("tokenizers/\(name)")
    guard files.keys.allSatisfy({ TestFiles.exist(source.appending(path: $0)) }) else { return }
    let folder = try TemporaryFolder()
    for (file, place) in files {
      try FileManager.default.copyItem(
        at: source.appending(path: file), to: folder.file(place))
    }
    _ = try check(folder)
  }

  /// End tokens of the model and the tokenizer go by the names that there are.
  @Test func endTokens() throws {
    let folder = try TemporaryFolder()
    try copy("qwen2", to: folder)
    let tokenizer = try TokenizerLoader.load(directory: folder.url)
    let keys = try metadata(folder.url, rows: tokenizer.vocabularySize, ends: [7, 8])
    let ids = keys.filter { $0.key.hasSuffix("_token_id") }.compactMap(\.value.integer)
    #expect(ids.contains(7))
    #expect(
      try metadata(temporary(), rows: 9, ends: [7]).map(\.key) == [
        "tokenizer.ggml.model", "tokenizer.ggml.eos_token_id",
      ])
  }

  private func temporary() throws -> URL {
    // Kept alive by nobody: what isn't there has no tokenizer either.
    URL(filePath: "/nowhere-\(UUID().uuidString)", directoryHint: .isDirectory)
  }

  /// What is read again must cut texts alike.
  @Test func whatAFileCannotSay() throws {
    func problem(_ name: String) throws -> String {
      let folder = try TemporaryFolder()
      try FileManager.default.copyItem(at: Self.fixture(name), to: folder.file("tokenizer.json"))
      return try #require(
        #expect(throws: SpeculateError.self) { _ = try metadata(folder.url, rows: 100_000) }
      ).description
    }
    #expect(try problem("gpt2").hasSuffix("can't say \"rstrip\" of the added token \"</tool>\""))
    #expect(try problem("qwen2").contains("a GGUF file can't say how this tokenizer cuts texts"))
  }
}
