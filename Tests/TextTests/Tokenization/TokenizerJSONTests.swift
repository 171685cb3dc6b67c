import Files
import Foundation
import Testing
import Text

/// What a tokenizer.json may not say, and damaged ones.
@Suite struct TokenizerJSONTests {
  /// A correct byte-level file whose parts can be replaced.
  struct File {
    var parts = [
      "model":
        #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"\u0120":3,"c":4},"merges":["a b"]}"#,
      "normalizer": "null",
      "pre_tokenizer": #"{"type":"ByteLevel","add_prefix_space":false}"#,
      "post_processor": "null",
      "decoder": #"{"type":"ByteLevel"}"#,
      "added_tokens": "[]",
    ]

    /// The correct file, with other parts in place of some.
    init(_ others: [String: String] = [:]) { parts.merge(others) { $1 } }

    var text: String {
      let members = parts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
      return "{\(members.joined(separator: ","))}"
    }
  }

  /// The message a file is refused with, without the file's name; `nil` when it is not.
  static func refusal(_ text: String) throws -> String? { try refusal(Data(text.utf8)) }

  static func refusal(_ data: Data) throws -> String? {
    do {
      _ = try BytePairTokenizer(json: data, name: "file")
      return nil
    } catch let error as SpeculateError {
      #expect(!error.description.contains("\n"))
      #expect(error.description.hasPrefix("file"))
      return String(error.description.dropFirst(4))
    }
  }

  @Test func acceptsTheCorrectFile() throws {
    #expect(try Self.refusal(File().text) == nil)
    let tokenizer = try BytePairTokenizer(json: Data(File().text.utf8), name: "file")
    #expect(tokenizer.encode("ab cab", addSpecial: true) == [2, 3, 4, 2])
    // What the vocabulary cannot spell is left out, as in the reference library.
    #expect(tokenizer.encode("axb", addSpecial: true) == [2])
    #expect(tokenizer.piece(of: 3) == "Ġ" && tokenizer.id(of: "Ġ") == 3)
    #expect(tokenizer.bytes(of: 3) == [0x20] && tokenizer.bytes(of: 5) == [])
  }

  @Test(arguments: [
    (
      "model", #"{"type":"WordPiece","vocab":{}}"#,
      #": the tokenizer model "WordPiece" is not supported, only BPE is"#
    ),
    (
      "model", #"{"type":"Unigram","vocab":[]}"#,
      #": the tokenizer model "Unigram" is not supported, only BPE is; "#
        + "if there is a tokenizer.model, remove this file"
    ),
    (
      "model", #"{"vocab":{}}"#,
      #": the tokenizer model "without a type" is not supported, only BPE is"#
    ),
    ("model", "[]", ": there is no 'model'; this is not a tokenizer.json"),
    ("model", #"{"type":"BPE","vocab":{"a":0}}"#, ": the model has no 'vocab' or no 'merges'"),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":{}}"#, ": 'merges' is not a list"),
    (
      "model", #"{"type":"BPE","vocab":[],"merges":[]}"#,
      ": the vocabulary is not an object of numbers by piece"
    ),
    ("model", #"{"type":"BPE","vocab":{},"merges":[]}"#, ": the vocabulary is empty"),
    (
      "model", #"{"type":"BPE","vocab":{"a":-1},"merges":[]}"#,
      #": the piece "a" has no usable number"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":16777216},"merges":[]}"#,
      #": the piece "a" has no usable number"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":99999999999999999999},"merges":[]}"#,
      #": the piece "a" has no usable number"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":"0"},"merges":[]}"#,
      #": the piece "a" has no usable number"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0.5},"merges":[]}"#,
      #": the piece "a" has no usable number"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}"#,
      ": two pieces have the number 0"
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}"#,
      #": the piece "a" is there twice"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}"#,
      #": merge 0, "a" with "b", names a piece that is not in the vocabulary"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0,"aa":1},"merges":["a a",["a","\n"]]}"#,
      #": merge 1, "a" with "\n", names a piece that is not in the vocabulary"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0},"merges":["aa"]}"#,
      #": merge 0, "aa", is not 'a b'"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0},"merges":["a a a"]}"#,
      #": merge 0, "a a a", is not 'a b'"#
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}"#,
      ": merge 0 is not a pair of strings"
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0},"merges":[["a",1]]}"#,
      ": merge 0 is not a pair of strings"
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0},"merges":[7]}"#,
      ": merge 0 is not a pair of strings"
    ),
    (
      "model", #"{"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[]}"#,
      ": the model's 'dropout' is not supported"
    ),
    (
      "model",
      #"{"type":"BPE","continuing_subword_prefix":"@@","vocab":{"a":0},"merges":[]}"#,
      ": the model's 'continuing_subword_prefix' is not supported"
    ),
    (
      "model", #"{"type":"BPE","end_of_word_suffix":"</w>","vocab":{"a":0},"merges":[]}"#,
      ": the model's 'end_of_word_suffix' is not supported"
    ),
    (
      "model", #"{"type":"BPE","unk_token":"?","vocab":{"a":0},"merges":[]}"#,
      #": the unk_token "?" is not in the vocabulary"#
    ),
  ])
  func refusesModels(part: String, text: String, message: String) throws {
    #expect(try Self.refusal(File([part: text]).text) == message)
  }

  @Test(
    arguments: [
      (
        "normalizer", #"{"type":"Lowercase"}"#,
        #": the normalizer "Lowercase" is not supported"#
      ),
      (
        "normalizer", #"{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFKC"}]}"#,
        #": the normalizer "NFKC" is not supported"#
      ),
      (
        "normalizer", #"{"type":"Sequence"}"#,
        ": a normalizer 'Sequence' has no list 'normalizers'"
      ),
      ("normalizer", "{}", ": a normalizer has no 'type'"),
      (
        "normalizer", #"{"type":"Replace","pattern":{"Regex":"a"},"content":"b"}"#,
        ": a normalizer 'Replace' of anything but a string is not supported"
      ),
      ("normalizer", #"{"type":"Prepend"}"#, ": the normalizer 'Prepend' has no 'prepend'"),
      (
        "pre_tokenizer", #"{"type":"Whitespace"}"#,
        #": the pre_tokenizer "Whitespace" is not supported"#
      ),
      (
        "pre_tokenizer", "null",
        ": a pre_tokenizer that is neither ByteLevel nor Metaspace is not supported"
      ),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"}"#,
        #": the pre_tokenizer pattern "\\w+" is not supported"#
      ),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"String":" "},"behavior":"Isolated"}"#,
        ": a pre_tokenizer 'Split' by anything but a 'Regex' is not supported"
      ),
      (
        "pre_tokenizer",
        #"{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}"#,
        #": the pre_tokenizer "Digits" behind 'ByteLevel' is not supported"#
      ),
      (
        "pre_tokenizer",
        #"{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"ByteLevel"}]}"#,
        ": a space in front of what another pre_tokenizer has cut is not supported"
      ),
      (
        "pre_tokenizer",
        #"{"type":"Sequence","pretokenizers":[{"type":"Metaspace"},"#
          + #"{"type":"ByteLevel","add_prefix_space":false}]}"#,
        ": a pre_tokenizer with both 'Metaspace' and 'ByteLevel' is not supported"
      ),
      (
        "pre_tokenizer", #"{"type":"Metaspace","replacement":"_"}"#,
        ": a Metaspace 'replacement' other than '▁' is not supported"
      ),
      (
        "pre_tokenizer", #"{"type":"Metaspace","prepend_scheme":"sometimes"}"#,
        #": the Metaspace prepend_scheme "sometimes" is not supported"#
      ),
      (
        "post_processor", #"{"type":"BertProcessing"}"#,
        #": the post_processor "BertProcessing" is not supported"#
      ),
      (
        "post_processor", #"{"type":"TemplateProcessing"}"#,
        ": a post_processor 'TemplateProcessing' has no list 'single'"
      ),
      (
        "post_processor", #"{"type":"TemplateProcessing","single":[]}"#,
        ": the post_processor's template has the text 0 times, not once"
      ),
      (
        "post_processor", #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}]}"#,
        #": the post_processor's token "x" has no usable 'ids'"#
      ),
      (
        "post_processor", #"{"type":"TemplateProcessing","single":[1]}"#,
        ": the post_processor's template has an item that is not supported"
      ),
      (
        "decoder", #"{"type":"WordPiece"}"#,
        #": the decoder "WordPiece" is not supported with this pre_tokenizer"#
      ),
      (
        "decoder", #"{"type":"Metaspace"}"#,
        #": the decoder "Metaspace" is not supported with this pre_tokenizer"#
      ),
      ("added_tokens", "{}", ": 'added_tokens' is not a list"),
      ("added_tokens", "[{}]", ": an added token has no 'content'"),
      ("added_tokens", #"[{"content":"<x>"}]"#, #": the added token "<x>" has no usable 'id'"#),
      (
        "added_tokens", #"[{"content":"<x>","id":-3}]"#,
        #": the added token "<x>" has no usable 'id'"#
      ),
      (
        "added_tokens", #"[{"content":"<x>","id":1}]"#,
        #": the added token "<x>" has the id 1, which the vocabulary gives to "b""#
      ),
    ])
  func refusesParts(
    part: String, text: String, message: String
  ) throws {
    #expect(try Self.refusal(File([part: text]).text) == message)
  }

  @Test(arguments: [
    #"{"type":"Replace","pattern":{"String":"a"},"content":" "}"#,
    #"{"type":"Strip","content":" ","start":2,"stop":0}"#,
    #"{"type":"Strip","content":" ","start":1,"stop":1}"#,
    #"{"type":"Strip","content":"x","start":1,"stop":0}"#,
  ])
  func refusesDecodersOfCharacters(decoder: String) throws {
    var file = File(["pre_tokenizer": #"{"type":"Metaspace"}"#])
    file.parts["decoder"] = #"{"type":"Metaspace"}"#
    #expect(try Self.refusal(file.text) == nil)
    file.parts["decoder"] = decoder
    #expect(try Self.refusal(file.text)?.hasSuffix(" is not supported") == true)
  }

  @Test(arguments: [
    ("", 0, "the document ends where a value should stand"),
    ("[1", 2, "\"]\" should stand here, but the document ends"),
    ("{} {}", 3, "text after the end of the document"),
    ("{\"a\" 1}", 5, "\":\" should stand here, but there is something else"),
    ("[1,]", 3, "a value should stand here"),
    ("[nul]", 1, "a value should stand here"),
    ("[1-]", 2, "\"]\" should stand here, but there is something else"),
    ("[01]", 2, "\"]\" should stand here, but there is something else"),
    ("[-]", 2, "a digit should stand here"),
    (#"["\x"]"#, 2, "this escape stands for no character"),
    (#"["\u+123"]"#, 2, "this escape stands for no character"),
    (#"["\ud800"]"#, 2, "this escape stands for no character"),
    (#"["\udc00\ud800"]"#, 2, "this escape stands for no character"),
    ("[\"a\nb\"]", 3, "a control character inside a string"),
    (String(repeating: "[", count: 100_000), 129, "nested deeper than 128 levels"),
  ])
  func refusesDamagedTexts(text: String, byte: Int, problem: String) throws {
    #expect(
      try Self.refusal(text)
        == " is not valid JSON at byte \(byte): \(problem); copy the file again")
  }

  @Test(arguments: [
    ("[]", ": there is no 'model'; this is not a tokenizer.json"),
    ("7", ": there is no 'model'; this is not a tokenizer.json"),
  ])
  func refusesOtherTexts(text: String, message: String) throws {
    #expect(try Self.refusal(text) == message)
  }

  @Test func refusesWhatIsNotUTF8() throws {
    #expect(
      try Self.refusal(Data([0x22, 0xC3, 0x28, 0x22]))
        == " is not valid JSON at byte 1: the string is not valid UTF-8; copy the file again")
  }

  @Test func readsEscapes() throws {
    let added = #"[{"content":"\u00e9\ud83d\ude42\n\"\\\/\b\f\r\t","id":9,"special":true}]"#
    let file = File(["added_tokens": added])
    let tokenizer = try BytePairTokenizer(json: Data(file.text.utf8), name: "file")
    #expect(tokenizer.piece(of: 9).map { Array($0.utf8) } == Array("é🙂\n\"\\/\u{8}\u{C}\r\t".utf8))
    #expect(tokenizer.vocabularySize == 10)
  }

  /// Every beginning of a file is refused, and no damage does worse than being refused.
  @Test func survivesTruncationAndDamage() throws {
    let file = Data(File().text.utf8)
    for count in 0..<file.count {
      #expect(try Self.refusal(file.prefix(count)) != nil)
    }
    var random = SplitMix(seed: 8)
    var refused = 0
    for name in BytePairFixtureTests.names {
      let whole = try Data(
        contentsOf: BytePairFixtureTests.folder.appending(path: "\(name).json"))
      for _ in 0..<60 {
        var damaged = whole
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let index = Int.random(in: 0..<damaged.count, using: &random)
          damaged[index] = whole.randomElement(using: &random) ?? 0
        }
        if try Self.refusal(damaged) != nil { refused += 1 }
      }
    }
    #expect(refused > 100 && refused < 600)
  }
}
