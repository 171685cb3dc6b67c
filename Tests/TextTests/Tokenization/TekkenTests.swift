import Files
import Foundation
import TestSupport
import Testing
import Text

/// Mistral's tekken.json: files and ids by mistral_common, Tests/Fixtures/tokenizers/tekken.py.
@Suite struct TekkenTests {
  struct Vectors: Decodable {
    struct File: Decodable {
      var size: Int
      var ids: [[Token]]
    }
    var texts: [String]
    var files: [String: File]
  }

  private func data(_ name: String) throws -> Data {
    try Data(contentsOf: TokenizerFixtureTests.folder.appending(path: name))
  }

  private func load(_ tekken: Data, _ more: [String: String] = [:]) throws -> any Tokenizer {
    let files = more.mapValues { Data($0.utf8) }
    return try TestFiles.withFolder(files.merging(["tekken.json": tekken]) { $1 }) {
      try TokenizerLoader.load(directory: $0)
    }
  }

  @Test(arguments: ["old", "new"]) func equalsReference(name: String) throws {
    let vectors = try JSONDecoder().decode(Vectors.self, from: data("tekken.json"))
    let expected = try #require(vectors.files[name])
    let tokenizer = try load(data("tekken-\(name).json"))
    #expect(tokenizer.vocabularySize == expected.size && vectors.texts.count == 77)
    for (text, ids) in zip(vectors.texts, expected.ids) {
      #expect(try tokenizer.encode(text, addSpecial: false) == ids, "\(text.debugDescription)")
      #expect(StreamingCheck.holds(for: ids, of: tokenizer))
      if name == "old" { #expect(tokenizer.decode(ids, skipSpecial: true) == text) }
    }
  }

  @Test func specialTokensComeBeforeThePieces() throws {
    let old = try load(data("tekken-old.json"))
    #expect(old.beginToken == 1 && old.endTokens == [2])
    #expect(old.id(of: "[INST]") == 3 && old.piece(of: 29) == "<SPECIAL_29>")
    #expect(old.isSpecial(29) && !old.isSpecial(30) && old.bytes(of: 30 + 0x41) == [0x41])
    let text = "[INST]a[/INST]"
    #expect(try old.encode(text, addSpecial: true, parseSpecial: true) == [1, 3, 30 + 0x61, 4])
    #expect(try old.encode(text, addSpecial: false).count > 3)
    let bare = try load(
      data("tekken-old.json"), ["tokenizer_config.json": #"{"add_bos_token": false}"#])
    #expect(try bare.encode("a", addSpecial: true) == [30 + 0x61])
  }

  @Test func refusesDamage() throws {
    func problem(_ old: String, _ new: String) throws -> String {
      let text = String(decoding: try data("tekken-new.json"), as: UTF8.self)
      #expect(text.contains(old))
      let changed = Data(text.replacing(old, with: new, maxReplacements: 1).utf8)
      let error = try #require(#expect(throws: SpeculateError.self) { _ = try load(changed) })
      return String(error.description.split(separator: "tekken.json: ", maxSplits: 1)[1])
    }
    #expect(
      try problem(#""config""#, #""configuration""#)
        == "there is no 'config' or no list 'vocab'; this is not a tekken.json")
    #expect(try problem(#""pattern""#, #""p""#) == "the config has no 'pattern'")
    #expect(
      try problem(#""default_num_special_tokens":12"#, #""default_num_special_tokens":-1"#)
        == "the config's 'default_num_special_tokens' is no count of tokens")
    #expect(
      try problem(#""default_num_special_tokens":12"#, #""default_num_special_tokens":3"#)
        == "'default_num_special_tokens' is 3, but there are 5 special tokens")
    #expect(
      try problem(#""default_num_special_tokens":12"#, #""default_num_special_tokens":9999999"#)
        == "'default_num_special_tokens' is 9999999, but there are 5 special tokens")
    #expect(
      try problem(#""token_str":"<s>""#, #""token_str":"<unk>""#)
        == "two special tokens have the same spelling")
    #expect(
      try problem(#""token_bytes":"AQ==""#, #""token_bytes":"AA==""#) == "piece 1 is there twice")
    #expect(
      try problem(#""token_bytes":"AQ==""#, #""token_bytes":"?""#)
        == "piece 1 has no usable 'token_bytes' or another 'rank'")
    #expect(
      try problem(#"{"rank":7,"token_bytes""#, #"{"rank":8,"token_bytes""#)
        == "piece 7 has no usable 'token_bytes' or another 'rank'")
  }
}
