import Files
import Foundation
import TestSupport
import Testing
import Text

@Suite struct GGUFTokenizerTests {
  /// Two published vocabularies with the ids that llama.cpp tests them by.
  @Test(
    .enabled(
      if: TestFiles.exist(
        TestFiles.data("tokenizers/vectors/ggml-vocab-gpt-2.gguf"),
        TestFiles.data("tokenizers/vectors/ggml-vocab-llama-spm.gguf")),
      "../shared/data/tokenizers/vectors is absent"), arguments: ["gpt-2", "llama-spm"])
  func publishedVocabularies(kind: String) throws {
    let vectors = try TokenizerVectors(kind)
    let tokenizer = try TokenizerLoader.load(
      directory: TestFiles.data("tokenizers/vectors/ggml-vocab-\(kind).gguf"))
    for (text, ids) in zip(vectors.texts, vectors.ids) {
      #expect(try tokenizer.encode(text, addSpecial: false) == ids, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids, skipSpecial: true) == text, "\(text.debugDescription)")
    }
    if kind == "llama-spm" {
      #expect(tokenizer.beginToken == 1 && tokenizer.endTokens == [2])
      #expect(try tokenizer.encode("a", addSpecial: true).first == 1)
    } else {
      #expect(tokenizer.endTokens == [50_256] && tokenizer.isSpecial(50_256))
    }
  }

  /// A vocabulary of every byte, two merges and special tokens.
  private func metadata(
    pre: String = "smollm", _ more: [(key: String, value: GGUFValue)] = []
  ) -> [(key: String, value: GGUFValue)] {
    // GPT-2's alphabet of bytes.
    var alphabet = (0x21...0x7E).map { UInt32($0) } + (0xA1...0xAC).map { UInt32($0) }
    alphabet += (0xAE...0xFF).map { UInt32($0) } + (0x100..<0x144).map { UInt32($0) }
    let bytes = alphabet.compactMap { UnicodeScalar($0).map { String(Character($0)) } }
    let pieces = ["<|end|>", "<|begin|>", "<tool>"] + bytes + ["ab", "abc", "[PAD261]"]
    let types = [3, 3, 4] + bytes.map { _ in 1 } + [1, 1, 5]
    let base: [(key: String, value: GGUFValue)] = [
      ("tokenizer.ggml.model", .string("gpt2")),
      ("tokenizer.ggml.pre", .string(pre)),
      ("tokenizer.ggml.tokens", .array(GGUFArray(strings: pieces))),
      (
        "tokenizer.ggml.token_type",
        .array(GGUFArray(types.map { .int32(Int32($0)) }, of: .int32))
      ),
      ("tokenizer.ggml.merges", .array(GGUFArray(strings: ["a b", "ab c"]))),
      ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(0)),
      ("tokenizer.chat_template", .string("{{ bos_token }}{{ messages[0]['content'] }}")),
    ]
    return base.filter { entry in !more.contains { $0.key == entry.key } } + more
  }

  private func load(_ metadata: [(key: String, value: GGUFValue)]) throws -> any Tokenizer {
    let folder = try TemporaryFolder()
    let url = folder.file("vocabulary.gguf")
    try GGUFWriter.write(metadata: metadata, [], to: url)
    return try TokenizerLoader.load(directory: url)
  }

  @Test func bytePairs() throws {
    let tokenizer = try load(metadata())
    let (ab, abc) = (Token(259), Token(260))
    func pieces(_ text: String) throws -> [String] {
      try tokenizer.encode(text, addSpecial: true, parseSpecial: true)
        .compactMap(tokenizer.piece(of:))
    }
    #expect(tokenizer.id(of: "ab") == ab && tokenizer.id(of: "abc") == abc)
    #expect(try pieces("abcab12 ab") == ["abc", "ab", "1", "2", "Ġ", "ab"])
    #expect(try pieces("a<tool>b<|end|>") == ["a", "<tool>", "b", "<|end|>"])
    #expect(tokenizer.isSpecial(0) && !tokenizer.isSpecial(2))
    #expect(try tokenizer.encode("<|end|>", addSpecial: true) != [0])
    #expect(tokenizer.beginToken == 1 && tokenizer.endTokens == [0])
    let around = try load(
      metadata([
        ("tokenizer.ggml.add_bos_token", .bool(true)),
        ("tokenizer.ggml.add_eos_token", .bool(true)),
      ]))
    #expect(try around.encode("ab", addSpecial: true) == [1, ab, 0])
    // Llama 3's begin token needs no word of the file.
    #expect(try load(metadata(pre: "llama-bpe")).encode("ab", addSpecial: true) == [1, ab])
  }

  @Test func chatTemplate() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("vocabulary.gguf")
    try GGUFWriter.write(metadata: metadata(), [], to: url)
    let encoder = ChatEncoder(directory: url, tokenizer: try TokenizerLoader.load(directory: url))
    let encoded = try encoder.encode(
      Conversation(user: "ab"), now: ChatEncoder.fixedTime)
    #expect(encoded.text == "<|begin|>ab" && encoded.ids == [1, 259])
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    func problem(_ more: [(key: String, value: GGUFValue)]) throws -> String {
      let error = try #require(
        #expect(throws: SpeculateError.self) { _ = try load(metadata(more)) })
      return String(error.description.split(separator: ".gguf: ", maxSplits: 1)[1])
    }
    #expect(
      try problem([("tokenizer.ggml.model", .string("bert"))])
        == "the tokenizer model \"bert\" is not supported; only gpt2, gemma4, llama and t5 are")
    #expect(
      try problem([("tokenizer.ggml.pre", .string("afmoe"))])
        .hasPrefix(
          "the pre-tokenizer \"afmoe\" is not supported; use one of a.x-4.0, bailingmoe, "))
    #expect(
      try problem([("tokenizer.ggml.eos_token_id", .uint32(262))])
        == "tokenizer.ggml.eos_token_id is no token of the 262 that there are")
    #expect(
      try problem([("tokenizer.ggml.tokens", .array(GGUFArray(strings: [])))])
        == "tokenizer.ggml.tokens is no list of texts; the model has no tokenizer")
    #expect(
      try problem([("tokenizer.ggml.token_type", .array(GGUFArray([.int32(1)], of: .int32)))])
        == "tokenizer.ggml.token_type is no list of 262 integers")
    #expect(
      try problem([("tokenizer.ggml.add_bos_token", .uint8(1))])
        == "tokenizer.ggml.add_bos_token is not true or false")
    #expect(
      try problem([("tokenizer.ggml.merges", .array(GGUFArray(strings: ["a ab"])))])
        == "tokenizer.ggml.tokens: merge 0, \"a\" with \"ab\", names a piece that is not in the "
        + "vocabulary")
    #expect(
      try problem([("tokenizer.ggml.model", .string("llama"))])
        == "tokenizer.ggml.scores is no list of 262 numbers")
  }

  /// Damaged files are refused with one line or load whole.
  @Test(arguments: ["gpt2", "llama", "t5", "gemma4"]) func mutatedVocabularies(model: String) throws
  {
    let folder = try TemporaryFolder()
    let url = folder.file("vocabulary.gguf")
    let pieces = ["<unk>", "<s>", "</s>", "c", "a", "b", "ab", "\u{2581}"]
    let types: [Int32] = [2, 3, 3, 1, 1, 1, 1, 1]
    try GGUFWriter.write(
      metadata: [
        ("tokenizer.ggml.model", .string(model)), ("tokenizer.ggml.pre", .string("gpt-2")),
        ("tokenizer.ggml.tokens", .array(GGUFArray(strings: pieces))),
        ("tokenizer.ggml.token_type", .array(GGUFArray(types.map { .int32($0) }, of: .int32))),
        (
          "tokenizer.ggml.scores",
          .array(GGUFArray((0..<8).map { .float32(Float(-$0)) }, of: .float32))
        ),
        ("tokenizer.ggml.merges", .array(GGUFArray(strings: ["a b"]))),
        ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
      ], [], to: url)
    #expect(try TokenizerLoader.load(directory: url).encode("ab", addSpecial: false).last == 6)
    let good = Array(try Data(contentsOf: url))
    var random = SplitMix(seed: 4)
    for _ in 0..<fuzzRounds(1500) {
      var bytes = good
      mutate(&bytes, &random)
      try Data(bytes).write(to: url)
      do {
        let tokenizer = try TokenizerLoader.load(directory: url)
        let ids = try tokenizer.encode("ab<s> A", addSpecial: true, parseSpecial: true)
        _ = tokenizer.decode(ids, skipSpecial: false)
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
