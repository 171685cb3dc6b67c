import Files
import Foundation
import TestSupport
import Testing
import Text

/// Tokenizers' files with values of all sizes and types are read or refused with a line; none traps.
@Suite struct HostileTokenizerTests {
  private static let byteLevel = #"""
    {"added_tokens":[{"id":6,"content":"<s>","special":true,"lstrip":true,"rstrip":true,
    "single_word":true,"normalized":true},{"id":7,"content":"é","special":false}],
    "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace",
    "pattern":{"String":"a"},"content":"aa"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[
    {"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false,
    "use_regex":true}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":
    {"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[6]}}},
    "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","dropout":null,"unk_token":"a",
    "byte_fallback":false,"ignore_merges":false,"vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"aab":5},
    "merges":["a b",["a","ab"]]}}
    """#
  private static let characters = #"""
    {"added_tokens":[{"id":0,"content":"<unk>","special":true}],"normalizer":{"type":"Sequence",
    "normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},
    "content":"▁"}]},"pre_tokenizer":null,"decoder":{"type":"Sequence","decoders":[{"type":"Replace",
    "pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip",
    "content":" ","start":1,"stop":0}]},"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,
    "byte_fallback":true,"vocab":{"<unk>":0,"▁":1,"a":2,"▁a":3,"<0x41>":4},"merges":["▁ a"]}}
    """#

  /// Every other part of the format.
  private static let pipeline = #"""
    {"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":9,"content":"b c","special":false,
    "normalized":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Nmt"},
    {"type":"Lowercase"},{"type":"StripAccents"},{"type":"Strip","strip_left":true,"strip_right":false},
    {"type":"Replace","pattern":{"Regex":" {2,}|\\p{Han}"},"content":" "}]},"pre_tokenizer":{"type":
    "Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Punctuation","behavior":"Contiguous"},
    {"type":"CharDelimiterSplit","delimiter":"c"},{"type":"Split","pattern":{"String":"b"},"behavior":
    "MergedWithNext","invert":true},{"type":"Metaspace","replacement":"_","prepend_scheme":"first",
    "split":true},{"type":"ByteLevel","add_prefix_space":true,"use_regex":true},{"type":"Whitespace"}]},
    "post_processor":{"type":"RobertaProcessing","sep":["a",2],"cls":["<unk>",0]},"decoder":{"type":
    "Sequence","decoders":[{"type":"ByteLevel"},{"type":"Metaspace","replacement":"_","prepend_scheme":
    "always"},{"type":"ByteFallback"},{"type":"Strip","content":"a","start":1,"stop":1},{"type":"Fuse"}]},
    "model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],["_",-1.5],["a",-2],
    ["_a",-2.5],["<0x41>",-3],["ab",-1e2],["b",-7]]}}
    """#
  /// Patterns, and a map of characters whose array has two nodes.
  private static let patterns = #"""
    {"normalizer":{"type":"Sequence","normalizers":[{"type":"Precompiled","precompiled_charsmap":"MAP"},
    {"type":"Prepend","prepend":"x"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split",
    "pattern":{"Regex":"[^\\W\\d]+|(?i:'s|[a-z&&[^b]])?\\p{N}{1,3}|\\s+(?!\\S)"},"behavior":"Removed",
    "invert":true},{"type":"ByteLevel","use_regex":false,"add_prefix_space":false}]},"decoder":{"type":
    "ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"1":3,"x":4},"merges":["a b"]}}
    """#

  private static func tryOut(_ text: String) throws -> Bool {
    do {
      let tokenizer = try PieceTokenizer(json: Data(text.utf8), name: "t")
      let ids = try tokenizer.encode("a <s>ab 12 é A", addSpecial: true, parseSpecial: true)
      #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
      _ = tokenizer.decode(ids + [-1, .max, .min], skipSpecial: false)
      return true
    } catch let error as SpeculateError {
      #expect(!error.description.contains("\n"))
      return false
    }
  }

  @Test(arguments: [byteLevel, characters, pipeline, patterns])
  func noValueTraps(sample: String) throws {
    let map = try GGUFVocabularyTests.fixture().t5.map
    let sample = sample.replacing("MAP", with: map)
    #expect(try Self.tryOut(sample))
    var random = SplitMix(seed: 7)
    var read = 0
    for _ in 0..<fuzzRounds(1500) {
      var text = makeHostile(sample, &random)
      if Bool.random(using: &random) {
        var bytes = Array(text.utf8)
        mutate(&bytes, &random)
        text = String(decoding: bytes, as: UTF8.self)
      }
      if try Self.tryOut(text) { read += 1 }
    }
    #expect(read > 10)
  }

  /// Published files with damage anywhere.
  @Test(arguments: TokenizerFixtureTests.names + TokenizerFixtureTests.pipelines)
  func noDamageTraps(name: String) throws {
    let file = TokenizerFixtureTests.folder.appending(path: "\(name).json")
    let whole = Array(try Data(contentsOf: file))
    var random = SplitMix(seed: 30)
    for _ in 0..<fuzzRounds(30) {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
      _ = try Self.tryOut(String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test(arguments: ["tekken-old.json", "tekken-new.json"])
  func noDamageOfTekkenTraps(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = Array(
      try Data(contentsOf: TokenizerFixtureTests.folder.appending(path: name)))
    var random = SplitMix(seed: 31)
    for _ in 0..<fuzzRounds(60) {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
      try folder.write(bytes, to: "tekken.json")
      do {
        let tokenizer = try TokenizerLoader.load(directory: folder.url)
        let ids = try tokenizer.encode("a [INST]12 é", addSpecial: true, parseSpecial: true)
        #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
        _ = tokenizer.decode(ids, skipSpecial: false)
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
  }

  /// Each replacement doubles the text: thirteen are too many.
  @Test func replacementsThatGrowWithoutEndAreRefused() throws {
    func text(_ count: Int) -> String {
      let step = #"{"type":"Replace","pattern":{"String":"a"},"content":"aa"}"#
      let steps = Array(repeating: step, count: count).joined(separator: ",")
      return Self.byteLevel.replacing(
        #"{"type":"NFC"},{"type":"Replace","#, with: #"{"type":"NFC"},\#(steps),{"type":"Replace","#
      )
    }
    #expect(try Self.tryOut(text(5)))
    #expect(
      throws: SpeculateError("t: the normalizer's replacements make texts over 4096 times as long")
    ) { try PieceTokenizer(json: Data(text(12).utf8), name: "t") }
  }

  @Test(arguments: [
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
  ])
  func noValueOfTheFilesBesideTraps(name: String) throws {
    let sample = #"""
      {"add_bos_token":true,"add_eos_token":false,"bos_token":{"content":"<s>"},"eos_token":"<s>",
      "tokenizer_class":"LlamaTokenizer","chat_template":[{"name":"default","template":"a"},
      {"name":"tool_use","template":"{{ tools }}"}],"x":[1,2]}
      """#
    let folder = try TemporaryFolder()
    try folder.write(Self.byteLevel.utf8, to: "tokenizer.json")
    var random = SplitMix(seed: 8)
    for _ in 0..<fuzzRounds(500) {
      try folder.write(makeHostile(sample, &random).utf8, to: name)
      do {
        let tokenizer = try TokenizerLoader.load(directory: folder.url)
        _ = try ChatTemplate(directory: folder.url, tokenizer: tokenizer).render(
          Conversation(user: "x"), addsGenerationPrompt: true, now: .now)
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
  }

  @Test func noLineOfPromptsTraps() throws {
    let sample = #"""
      {"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":
      "a"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","function":{"arguments":{"x":
      1}}}],"reasoning":"r"}],"tools":[{"type":"function"}],"chat_template_kwargs":{"k":1},"turns":
      ["a"],"prompt":"p","text":"t","test_list":["x"],"category":"c"}
      """#.replacing("\n", with: " ")
    let template = try ChatTemplate(
      source: "{% for m in messages %}{{ m }}{{ m.content }}{% endfor %}{{ tools }}{{ k }}",
      name: "t")
    var random = SplitMix(seed: 9)
    for _ in 0..<fuzzRounds(1500) {
      do {
        let line = try PromptLine(makeHostile(sample, &random))
        guard case .chat(let chat) = line.content else { continue }
        _ = try template.render(chat, addsGenerationPrompt: true, now: .now)
        _ = try template.render(
          chat, addsGenerationPrompt: true, continuesAnswer: true, now: .now)
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
