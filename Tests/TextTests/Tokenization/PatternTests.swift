import Files
import Foundation
import TestSupport
import Testing
import Text

/// Patterns of tokenizers' files: Oniguruma's syntax, read by PCRE2.
@Suite struct PatternTests {
  struct Cuts: Decodable {
    struct Case: Decodable {
      var pattern: String
      var behavior: String
      var invert: Bool
      /// The words of each text.
      var words: [[String]]
    }
    var texts: [String]
    var cases: [Case]
  }

  static func cut(_ text: String, _ split: TextSplit) throws -> [String] {
    let bytes = Array(text.utf8)
    let words = try bytes.withUnsafeBufferPointer {
      try PreTokenizer(steps: [.split(split)]).words(of: $0)
    }
    return words.map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  /// What huggingface/tokenizers makes of them: Tests/Fixtures/tokenizers/patterns.py.
  @Test func cutsEqualReference() throws {
    let file = TokenizerFixtureTests.folder.appending(path: "patterns.json")
    let cuts = try JSONDecoder().decode(Cuts.self, from: Data(contentsOf: file))
    #expect(cuts.texts.count == 20 && cuts.cases.count == 90)
    for cut in cuts.cases {
      let expression = try RegularExpression(cut.pattern, name: "p")
      let behavior = try #require(TextSplit.Behavior(rawValue: cut.behavior))
      let split = TextSplit(.pattern(expression), behavior, isInverted: cut.invert)
      for (text, words) in zip(cuts.texts, cut.words) {
        let found = try Self.cut(text, split)
        let isEqual = found.map { Array($0.utf8) } == words.map { Array($0.utf8) }
        #expect(
          isEqual, "\(cut.pattern) \(cut.behavior) \(cut.invert): \(text.debugDescription) \(found)"
        )
      }
    }
  }

  @Test(arguments: [
    (#"(a)\1"#, #""\\1" in a pattern is not supported"#),
    (#"(?<name>a)"#, #""(?<n" in a pattern is not supported"#),
    ("(?#x)a", #""(?#x" in a pattern is not supported"#),
    ("a(?i)b", #""(?i) inside a group" in a pattern is not supported"#),
    ("(?i:ss)", #""(?i:ss)" in a pattern is not supported"#),
    ("a**", #""* with nothing to repeat" in a pattern is not supported"#),
    ("(*UTF)a", #""* with nothing to repeat" in a pattern is not supported"#),
    ("x{3,1}", #""{3,1}" in a pattern is not supported"#),
    ("x{99999}", #""{99999}" in a pattern is not supported"#),
    ("(a", #""( without )" in a pattern is not supported"#),
    ("a)", #"") without (" in a pattern is not supported"#),
    ("[a", #""[ without ]" in a pattern is not supported"#),
    ("[]", #""[ without ]" in a pattern is not supported"#),
    ("[a&&]", #""an empty class" in a pattern is not supported"#),
    (#"[\d-z]"#, #""a range from a class" in a pattern is not supported"#),
    ("[z-a]", #""[z-a]" in a pattern is not supported"#),
    (#"\C"#, #""\\C" in a pattern is not supported"#),
    (#"a\Kb"#, #""\\K" in a pattern is not supported"#),
    (#"\G"#, #""\\G" in a pattern is not supported"#),
    (#"\"#, #""\\" in a pattern is not supported"#),
    (#"\xFF"#, #""\\xFF" in a pattern is not supported"#),
    (#"\u12"#, #""\\u12" in a pattern is not supported"#),
    (#"\p{No_Such_Script}"#, #"unknown property after \P or \p"#),
    (#"\p{Script=Han}"#, #""\\p{Script=Han}" in a pattern is not supported"#),
    ("(?<=a+)b", "lookbehind assertion is not fixed length"),
  ])
  func refusesByName(pattern: String, problem: String) {
    #expect(
      throws: SpeculateError("f: the pattern \(quoted(pattern)) can't be used: \(problem)")
    ) { try RegularExpression(pattern, name: "f") }
  }

  @Test func longAndDeepPatternsAreRefused() {
    for pattern in [
      String(repeating: "a", count: 1 << 16), String(repeating: "(", count: 10_000),
      String(repeating: "[", count: 10_000), String(repeating: "(a{999}){999}", count: 50),
    ] {
      #expect(throws: SpeculateError.self) { try RegularExpression(pattern, name: "f") }
    }
  }

  /// A pattern that would try for ever ends with an error, whatever finds that out.
  @Test(arguments: ["(?:a+)+$", "(?:a|a)*[bc]", #"(?:\p{L}|\w)+[x-z]"#])
  func hostilePatternsEnd(pattern: String) throws {
    let expression = try RegularExpression(pattern, name: "f")
    let text = String(repeating: "a", count: 2000) + "!"
    let error = #expect(throws: SpeculateError.self) {
      try Self.cut(text, TextSplit(.pattern(expression), .isolated))
    }
    let start = "f: the pattern \(quoted(pattern)) can't cut this text: "
    #expect(error?.description.hasPrefix(start) == true)
    #expect(error?.description.contains("\n") == false)
    // What it can do, it still does.
    #expect(try Self.cut("aab", TextSplit(.pattern(expression), .isolated)).joined() == "aab")
  }

  @Test func manyThreadsMayCutAtOnce() async throws {
    let split = TextSplit(.pattern(try RegularExpression(#"\w+|\s"#, name: "f")), .isolated)
    let text = String(repeating: "ab cd  ", count: 200)
    let expected = try Self.cut(text, split)
    #expect(expected.count == 1000)
    try await withThrowingTaskGroup(of: [String].self) { group in
      for _ in 0..<16 { group.addTask { try Self.cut(text, split) } }
      for try await found in group { #expect(found == expected) }
    }
  }

  /// Random text of pattern letters either is refused with a line or cuts a text into all its parts.
  @Test func randomPatternsAreReadOrRefused() throws {
    let parts = [
      "a", "b", " ", "\\", "s", "p", "{L}", "[", "]", "^", "-", "&&", "(", ")", "?", ":", "*", "+",
      "{", "1", ",", "}", "|", ".", "$", "é", "x", "u", "i", "!", "<", "=", "[:alpha:]", "\\w",
      "\\b", "\\R", "\u{0}",
    ]
    var random = SplitMix(seed: 17)
    var read = 0
    for _ in 0..<fuzzRounds(2000) {
      let count = Int.random(in: 1...12, using: &random)
      let pattern = (0..<count).compactMap { _ in parts.randomElement(using: &random) }.joined()
      do {
        let expression = try RegularExpression(pattern, name: "f")
        let text = "ab a1-é\n\u{1F642}b "
        #expect(try Self.cut(text, TextSplit(.pattern(expression), .isolated)).joined() == text)
        read += 1
      } catch let error as SpeculateError { #expect(!error.description.contains("\n")) }
    }
    #expect(read > 100)
  }
}
