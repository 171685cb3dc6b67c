import Files
import Foundation
import TestSupport
import Testing
import Text

/// The hand-written scanners against the regular expressions they stand for.
@Suite struct PreTokenizerTests {
  static let patterns = [
    PreTokenizer.gpt2Pattern, PreTokenizer.qwen2Pattern, PreTokenizer.llama3Pattern,
  ]

  /// The characters that PCRE2 and Swift put into different classes.
  static let disputed: Set<Unicode.Scalar> = {
    let classes: [(String, CharacterClass)] = [
      (#"\p{L}"#, .letter), (#"\p{N}"#, .number), (#"\s"#, .space),
    ]
    var disputed: Set<Unicode.Scalar> = []
    for (pattern, kind) in classes {
      guard let expression = PlainExpression(pattern) else { return [] }
      for value in UInt32(0)..<0x110000 {
        guard let scalar = Unicode.Scalar(value) else { continue }
        let matches = expression.end(ofMatchIn: Array(String(scalar).utf8), at: 0) != nil
        if matches != (CharacterClass(value) == kind) { disputed.insert(scalar) }
      }
    }
    return disputed
  }()

  static func words(_ step: PreTokenizer.Step, of text: [UInt8]) throws -> [Range<Int>] {
    try text.withUnsafeBufferPointer { try PreTokenizer(steps: [step]).words(of: $0) }
  }

  /// Both may know another version of Unicode, but must agree on what both know.
  @Test func classifiesEveryCharacterAsPCRE2Does() {
    let (major, minor) = PlainExpression.unicodeVersion
    #expect(major >= 14)
    for scalar in Self.disputed {
      // PCRE2 counts the Mongolian vowel separator as a space; Unicode has not since 6.3.
      if scalar == "\u{180E}" { continue }
      let age = scalar.properties.age ?? (major: 0, minor: 0)
      #expect(
        (age.major, age.minor) > (major, minor), "U+\(String(scalar.value, radix: 16))")
    }
    #expect(CharacterClass(0x180E) == .other)
    #expect(CharacterClass(0x85) == .space && CharacterClass(0x3000) == .space)
    #expect(CharacterClass(0x200B) == .other && CharacterClass(0xFEFF) == .other)
  }

  @Test(arguments: patterns)
  func equalsPCRE2OnRandomText(pattern: String) throws {
    let expression = try #require(PlainExpression(pattern))
    let step = try #require(PreTokenizer.Step(pattern: pattern))
    var random = SplitMix(seed: 6)
    for _ in 0..<40_000 {
      let scalars = RandomText.text(maximum: 24, using: &random).unicodeScalars
      let text = String(String.UnicodeScalarView(scalars.filter { !Self.disputed.contains($0) }))
      let bytes = Array(text.utf8)
      #expect(
        try Self.words(step, of: bytes) == expression.words(of: bytes), "\(text.debugDescription)")
    }
  }

  /// All strings of up to six of the characters whose order decides.
  @Test(arguments: patterns)
  func equalsPCRE2OnShortText(pattern: String) throws {
    let expression = try #require(PlainExpression(pattern))
    let step = try #require(PreTokenizer.Step(pattern: pattern))
    let alphabet = [" ", "\n", "\t", "a", "1", ".", "'", "S"].map { Array($0.utf8) }
    var texts: [[UInt8]] = [[]]
    var level: [[UInt8]] = [[]]
    for _ in 0..<6 {
      level = level.flatMap { text in alphabet.map { text + $0 } }
      texts += level
    }
    #expect(texts.count == 299_593)
    for text in texts where try Self.words(step, of: text) != expression.words(of: text) {
      Issue.record("\(String(decoding: text, as: UTF8.self).debugDescription)")
    }
  }

  /// This package's own sources.
  @Test(arguments: patterns)
  func equalsPCRE2OnSources(pattern: String) throws {
    let expression = try #require(PlainExpression(pattern))
    let step = try #require(PreTokenizer.Step(pattern: pattern))
    let sources = TestFiles.package.appending(path: "Sources")
    let found = try #require(FileManager.default.enumerator(atPath: sources.path))
    var count = 0
    for case let path as String in found where path.hasSuffix(".swift") {
      let bytes = try Array(Data(contentsOf: sources.appending(path: path)))
      #expect(try Self.words(step, of: bytes) == expression.words(of: bytes), "\(path)")
      count += 1
    }
    #expect(count > 10)
  }

  static let realTexts = ["swift-code/heldout.jsonl.zst", "prompts/spec_bench.jsonl"]
    .map(TestFiles.data)

  @Test(
    .enabled(
      if: realTexts.allSatisfy { TestFiles.exist($0) },
      "../shared/data/swift-code or prompts is absent"),
    arguments: patterns)
  func equalsPCRE2OnRealText(pattern: String) throws {
    let expression = try #require(PlainExpression(pattern))
    let step = try #require(PreTokenizer.Step(pattern: pattern))
    var size = 0
    for file in Self.realTexts {
      let reader = try LineReader(url: file)
      while let line = try reader.next() {
        // With the line breaks and quotes of the text, not their escapes.
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let text = (object as? [String: Any])?["text"] as? String ?? line
        let bytes = Array(text.utf8)
        #expect(try Self.words(step, of: bytes) == expression.words(of: bytes))
        size += bytes.count
      }
    }
    #expect(size > 1 << 20)
  }

  @Test func contractionsIgnoreCaseOnlyWithLlamaPatterns() throws {
    func words(_ step: PreTokenizer.Step, _ text: String) throws -> [String] {
      let bytes = Array(text.utf8)
      return try Self.words(step, of: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
    #expect(try words(.gpt2, "I'LL we'll") == ["I", "'", "LL", " we", "'ll"])
    #expect(try words(.llama3(digits: 3), "I'LL 'ſo") == ["I", "'LL", " '", "ſo"])
    #expect(try words(.llama3(digits: 3), "I'ſo") == ["I", "'ſ", "o"])
    #expect(try words(.llama3(digits: 3), "12345") == ["123", "45"])
    #expect(try words(.llama3(digits: 1), "123") == ["1", "2", "3"])
  }

  @Test func digitsAndMetaspaceCutEverywhere() throws {
    func words(_ step: PreTokenizer.Step, _ text: String) throws -> [String] {
      let bytes = Array(text.utf8)
      return try Self.words(step, of: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
    #expect(try words(.digits(each: true), "a12 ½b") == ["a", "1", "2", " ", "½", "b"])
    #expect(try words(.digits(each: false), "a12 ½b") == ["a", "12", " ", "½", "b"])
    #expect(try words(.metaspace, "▁a▁▁bc") == ["▁a", "▁", "▁bc"])
    #expect(try words(.metaspace, "a▁") == ["a", "▁"])
    #expect(try words(.metaspace, "") == [])
  }
}
