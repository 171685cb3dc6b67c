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
      _ = try PieceTokenizer(json: data, name: "file")
      return nil
    } catch let error as SpeculateError {
      #expect(!error.description.contains("\n"))
      #expect(error.description.hasPrefix("file"))
      return String(error.description.dropFirst(4))
    }
  }

  @Test func acceptsTheCorrectFile() throws {
    #expect(try Self.refusal(File().text) == nil)
    let tokenizer = try PieceTokenizer(json: Data(File().text.utf8), name: "file")
    #expect(try tokenizer.encode("ab cab", addSpecial: true) == [2, 3, 4, 2])
    // What the vocabulary cannot spell is left out, as in the reference library.
    #expect(try tokenizer.encode("axb", addSpecial: true) == [2])
    #expect(tokenizer.piece(of: 3) == "Ġ" && tokenizer.id(of: "Ġ") == 3)
    #expect(tokenizer.bytes(of: 3) == [0x20] && tokenizer.bytes(of: 5) == [])
  }

  @Test(arguments: [
    (
      "model", #"{"type":"WordPiece","vocab":{}}"#,
      #": the tokenizer model "WordPiece" is not supported, only BPE and Unigram are"#
    ),
    (
      "model", #"{"vocab":{}}"#,
      #": the tokenizer model "without a type" is not supported, only BPE and Unigram are"#
    ),
    ("model", #"{"type":"Unigram","vocab":{}}"#, ": the model has no list 'vocab'"),
    ("model", #"{"type":"Unigram","vocab":[]}"#, ": the vocabulary is empty"),
    (
      "model", #"{"type":"Unigram","vocab":[["a",-1],["b"]]}"#,
      ": piece 1 is not a string and a number"
    ),
    (
      "model", #"{"type":"Unigram","vocab":[["a",1e999]]}"#,
      ": piece 0 is not a string and a number"
    ),
    (
      "model", #"{"type":"Unigram","unk_id":1,"vocab":[["a",-1]]}"#,
      ": the model's 'unk_id' is no piece of the 1 that there are"
    ),
    (
      "model", #"{"type":"Unigram","byte_fallback":1,"vocab":[["a",-1]]}"#,
      ": the 'byte_fallback' of the model is not true or false"
    ),
    (
      "model", #"{"type":"BPE","vocab":{"a":0,"b":999999},"merges":[]}"#,
      ": a piece has the number 999999, but there are 2 pieces"
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
        "normalizer", #"{"type":"BertNormalizer"}"#,
        #": the normalizer "BertNormalizer" is not supported"#
      ),
      (
        "normalizer", #"{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"ByteLevel"}]}"#,
        #": the normalizer "ByteLevel" is not supported"#
      ),
      (
        "normalizer", #"{"type":"Sequence"}"#,
        ": a normalizer 'Sequence' has no list 'normalizers'"
      ),
      ("normalizer", "{}", ": a normalizer has no 'type'"),
      (
        "normalizer", #"{"type":"Replace","pattern":{},"content":"b"}"#,
        ": the 'pattern' of the normalizer 'Replace' is no 'String' and no 'Regex'"
      ),
      (
        "normalizer", #"{"type":"Replace","pattern":{"Regex":"(a"},"content":"b"}"#,
        #": the pattern "(a" can't be used: "( without )" in a pattern is not supported"#
      ),
      (
        "normalizer", #"{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#,
        ": the normalizer 'Precompiled' can't be used: the map of characters is truncated"
      ),
      (
        "normalizer", #"{"type":"Precompiled","precompiled_charsmap":"?"}"#,
        ": the normalizer 'Precompiled' has no 'precompiled_charsmap'"
      ),
      (
        "normalizer", #"{"type":"Strip","strip_left":1}"#,
        ": the 'strip_left' of the normalizer 'Strip' is not true or false"
      ),
      ("normalizer", #"{"type":"Prepend"}"#, ": the normalizer 'Prepend' has no 'prepend'"),
      (
        "pre_tokenizer", #"{"type":"UnicodeScripts"}"#,
        #": the pre_tokenizer "UnicodeScripts" is not supported"#
      ),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated"}"#,
        #": the pattern "(a)\\1" can't be used: "\\1" in a pattern is not supported"#
      ),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"Regex":"(?<=a+)b"},"behavior":"Isolated"}"#,
        #": the pattern "(?<=a+)b" can't be used: lookbehind assertion is not fixed length"#
      ),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"String":" "},"behavior":"Joined"}"#,
        #": the 'behavior' "Joined" of the pre_tokenizer 'Split' is not supported"#
      ),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"String":""},"behavior":"Isolated"}"#,
        ": the 'pattern' of the pre_tokenizer 'Split' is no 'String' and no 'Regex'"
      ),
      (
        "pre_tokenizer", #"{"type":"CharDelimiterSplit"}"#,
        ": the pre_tokenizer 'CharDelimiterSplit' has no 'delimiter'"
      ),
      (
        "pre_tokenizer", #"{"type":"Metaspace","prepend_scheme":"sometimes"}"#,
        #": the Metaspace prepend_scheme "sometimes" is not supported"#
      ),
      (
        "post_processor", #"{"type":"BertProcessing"}"#,
        ": the post_processor's 'cls' is no pair of a spelling and an id"
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
        #": the decoder "WordPiece" is not supported"#
      ),
      (
        "decoder", #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Metaspace"}]}"#,
        #": the decoder "Metaspace" behind 'Fuse' is not supported"#
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
    (
      #"{"type":"Replace","pattern":{"Regex":"a"},"content":" "}"#,
      "a decoder 'Replace' of anything but a string"
    ),
    (
      #"{"type":"Replace","pattern":{"String":"ab"},"content":" "}"#,
      "a decoder 'Replace' of several characters behind 'Fuse'"
    ),
    (
      #"{"type":"Strip","content":" ","start":2,"stop":0}"#,
      "a decoder 'Strip' behind 'Fuse' other than of one ' ' at the start"
    ),
    (
      #"{"type":"Strip","content":" ","start":1,"stop":1}"#,
      "a decoder 'Strip' behind 'Fuse' other than of one ' ' at the start"
    ),
    (
      #"{"type":"Strip","content":"x","start":1,"stop":0}"#,
      "a decoder 'Strip' behind 'Fuse' other than of one ' ' at the start"
    ),
  ])
  func refusesDecodersOfWholeTexts(decoder: String, problem: String) throws {
    let file = File([
      "pre_tokenizer": #"{"type":"Metaspace"}"#,
      "decoder": #"{"type":"Sequence","decoders":[{"type":"Fuse"},\#(decoder)]}"#,
    ])
    #expect(try Self.refusal(file.text) == ": \(problem) is not supported")
  }

  @Test func aTokenizerOfWordsNeedsADecoder() throws {
    var file = File(["pre_tokenizer": #"{"type":"Whitespace"}"#, "decoder": "null"])
    #expect(
      try Self.refusal(file.text)
        == ": a tokenizer without a 'decoder' is supported with the pre_tokenizers ByteLevel and "
        + "Metaspace")
    file.parts["pre_tokenizer"] = #"{"type":"Metaspace"}"#
    #expect(try Self.refusal(file.text) == nil)
  }

  /// Without a token for what can't be spelled, a text of such characters is an error.
  @Test func unigramsWithoutAnUnknownTokenSpellWhatTheyHave() throws {
    let file = File([
      "model": #"{"type":"Unigram","unk_id":null,"vocab":[["a",-1],["ab",-3],["b",-1.5]]}"#,
      "pre_tokenizer": "null",
    ])
    let tokenizer = try PieceTokenizer(json: Data(file.text.utf8), name: "file")
    #expect(try tokenizer.encode("abb", addSpecial: true) == [0, 2, 2])
    #expect(
      throws: SpeculateError(#"file: the vocabulary has no piece for "c" and no 'unk_id'"#)
    ) { try tokenizer.encode("abc", addSpecial: true) }
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
    let tokenizer = try PieceTokenizer(json: Data(file.text.utf8), name: "file")
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
    for name in TokenizerFixtureTests.names {
      let whole = try Data(
        contentsOf: TokenizerFixtureTests.folder.appending(path: "\(name).json"))
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
