import Files
import Foundation
import TestSupport
import Testing
import Text

@Suite struct TokenizerLoaderTests {
  static let model = SentencePieceModelBuilder(words: SentencePieceTokenizerTests.words).data

  @Test func loadsASentencePieceModel() throws {
    try TestFiles.withFolder(["tokenizer.model": Self.model]) { folder in
      let tokenizer = try TokenizerLoader.load(directory: folder)
      #expect(try tokenizer.encode("", addSpecial: true) == [1])
    }
    let config = Data(#"{"add_bos_token": false, "add_eos_token": true}"#.utf8)
    try TestFiles.withFolder(["tokenizer.model": Self.model, "tokenizer_config.json": config]) {
      let tokenizer = try TokenizerLoader.load(directory: $0)
      #expect(try tokenizer.encode("", addSpecial: true) == [2])
    }
  }

  @Test func saysWhatIsMissing() throws {
    try TestFiles.withFolder([:]) { folder in
      let error = #expect(throws: SpeculateError.self) {
        try TokenizerLoader.load(directory: folder)
      }
      #expect(
        error?.description
          == "no tokenizer in \(folder.path); copy the checkpoint's tokenizer.json or "
          + "tokenizer.model there")
      let missing = folder.appending(path: "nowhere")
      #expect(
        throws: SpeculateError("\(missing.path) does not exist; give the folder of a checkpoint")
      ) { try TokenizerLoader.load(directory: missing) }
    }
    try TestFiles.withFolder([
      "tokenizer.model": Self.model, "tokenizer_config.json": Data("[1]".utf8),
    ]) { folder in
      let file = folder.appending(path: "tokenizer_config.json").path
      #expect(throws: SpeculateError("\(file): this is not a JSON object; copy the file again")) {
        try TokenizerLoader.load(directory: folder)
      }
    }
  }

  @Test func prefersTokenizerJSON() throws {
    let json = Data(TokenizerJSONTests.File().text.utf8)
    try TestFiles.withFolder(["tokenizer.model": Self.model, "tokenizer.json": json]) {
      let tokenizer = try TokenizerLoader.load(directory: $0)
      #expect(tokenizer.vocabularySize == 5)
    }
  }

  @Test func loadsGPT2Files() throws {
    let vocabulary = Data(#"{"a":0,"b":1,"ab":2,"<|endoftext|>":3}"#.utf8)
    for merges in ["#version: 0.2\na b\n", "a b\r\n\r\n"] {
      try TestFiles.withFolder(["vocab.json": vocabulary, "merges.txt": Data(merges.utf8)]) {
        let tokenizer = try TokenizerLoader.load(directory: $0)
        #expect(try tokenizer.encode("abba", addSpecial: true) == [2, 1, 0])
        #expect(tokenizer.endTokens == [3])
      }
    }
    let other = Data(#"{"tokenizer_class": "WhisperTokenizer"}"#.utf8)
    try TestFiles.withFolder([
      "vocab.json": vocabulary, "merges.txt": Data(), "tokenizer_config.json": other,
    ]) { folder in
      let file = folder.appending(path: "vocab.json").path
      #expect(
        throws: SpeculateError(
          "\(file): a WhisperTokenizer is not supported from vocab.json and merges.txt; "
            + "copy the checkpoint's tokenizer.json there")
      ) { try TokenizerLoader.load(directory: folder) }
    }
    try TestFiles.withFolder(["vocab.json": vocabulary, "merges.txt": Data("a x".utf8)]) { folder in
      let file = folder.appending(path: "vocab.json").path
      #expect(
        throws: SpeculateError(
          #"\#(file): merge 0, "a" with "x", names a piece that is not in the vocabulary"#)
      ) { try TokenizerLoader.load(directory: folder) }
    }
  }

  @Test func takesBeginAndEndTokensFromTheConfiguration() throws {
    let added = #"""
      [{"id":5,"content":"<s>","special":true},{"id":6,"content":"</s>","special":true},
       {"id":7,"content":"<e>","special":true}]
      """#
    let json = Data(TokenizerJSONTests.File(["added_tokens": added]).text.utf8)
    func load(_ files: [String: String]) throws -> any Tokenizer {
      let others = files.mapValues { Data($0.utf8) }
      return try TestFiles.withFolder(others.merging(["tokenizer.json": json]) { $1 }) {
        try TokenizerLoader.load(directory: $0)
      }
    }
    let bare = try load([:])
    #expect(bare.beginToken == nil && bare.endTokens == [6])
    let named = try load([
      "tokenizer_config.json":
        #"{"bos_token":{"content":"<s>"},"eos_token":"<e>","add_bos_token":true}"#
    ])
    #expect(named.beginToken == 5 && named.endTokens == [7])
    #expect(try named.encode("a", addSpecial: true) == [5, 0])
    #expect(try named.encode("a", addSpecial: false) == [0])
    let mapped = try load(["special_tokens_map.json": #"{"bos_token":"<s>","eos_token":"<e>"}"#])
    #expect(mapped.beginToken == 5 && mapped.endTokens == [7])
    #expect(try mapped.encode("a", addSpecial: true) == [0])
  }

  /// Either key replaces what the tokenizer's own file adds.
  @Test func theConfigurationReplacesWhatIsAdded() throws {
    let added = #"""
      [{"id":5,"content":"<s>","special":true},{"id":6,"content":"</s>","special":true},
       {"id":7,"content":"<e>","special":true}]
      """#
    let template = #"""
      {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}},
       {"SpecialToken":{"id":"<e>"}}],"special_tokens":{"<s>":{"ids":[5]},"<e>":{"ids":[7]}}}
      """#
    let json = Data(
      TokenizerJSONTests.File(["added_tokens": added, "post_processor": template]).text.utf8)
    func ids(_ configuration: String) throws -> [Token] {
      let files = ["tokenizer.json": json, "tokenizer_config.json": Data(configuration.utf8)]
      return try TestFiles.withFolder(files) {
        try TokenizerLoader.load(directory: $0).encode("a", addSpecial: true)
      }
    }
    #expect(try ids("{}") == [5, 0, 7])
    #expect(try ids(#"{"bos_token":"</s>"}"#) == [5, 0, 7])
    let names = #""bos_token":"<s>","eos_token":"</s>""#
    #expect(try ids(#"{\#(names),"add_bos_token":true}"#) == [5, 0])
    #expect(try ids(#"{\#(names),"add_eos_token":true}"#) == [0, 6])
    #expect(try ids(#"{\#(names),"add_bos_token":true,"add_eos_token":true}"#) == [5, 0, 6])
    #expect(try ids(#"{\#(names),"add_bos_token":false}"#) == [0])
    #expect(try ids(#"{\#(names),"add_bos_token":null,"add_eos_token":true}"#) == [0, 6])
    #expect(
      throws: SpeculateError(
        #"tokenizer_config.json adds "<b>" to every text, but the tokenizer has no such token; "#
          + "copy both files again")
    ) { try ids(#"{"bos_token":"<b>","add_bos_token":true}"#) }
    let error = #expect(throws: SpeculateError.self) { try ids(#"{"add_bos_token":"yes"}"#) }
    #expect(error?.description.hasSuffix("'add_bos_token' is not true or false") == true)
  }

  @Test func acceptsAddedTokensThatTheModelHas() throws {
    func load(_ added: String) throws {
      try TestFiles.withFolder([
        "tokenizer.model": Self.model, "added_tokens.json": Data(added.utf8),
      ]) { _ = try TokenizerLoader.load(directory: $0) }
    }
    try load(#"{"<s>": 1}"#)
    for added in [#"{"<pad>": 32000}"#, #"{"<pad>": 1}"#, #"{"<s>": "1"}"#] {
      let error = try #require(throws: SpeculateError.self) { try load(added) }
      #expect(
        error.description.hasSuffix(
          "is not in tokenizer.model, and adding tokens to one is not supported; "
            + "copy the checkpoint's tokenizer.json there"))
    }
  }
}
