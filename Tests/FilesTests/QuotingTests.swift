import Files
import Testing

/// Texts from outside, as a line of a terminal takes them.
@Suite struct QuotingTests {
  @Test(arguments: [
    ("plain text, ünïcode 中文 😀", "plain text, ünïcode 中文 😀"),
    ("\u{1B}[31mred", "\\u{1b}[31mred"), ("a\u{0}b\u{7F}\u{9B}c", "a\\u{0}b\\u{7f}\\u{9b}c"),
    ("a\nb\rc\td", "a\\u{a}b\\u{d}c\\u{9}d"), ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
    ("txt.\u{202E}exe\u{2069}", "txt.\\u{202e}exe\\u{2069}"),
    ("👩\u{200D}👩\u{200D}👧", "👩\u{200D}👩\u{200D}👧"),
  ])
  func whatActsOnATerminalIsEscaped(text: String, shown: String) {
    #expect(printable(text) == shown)
    // Once is enough.
    #expect(printable(shown) == shown)
  }

  @Test(arguments: ["a", "\u{1B}", "é", "中", "😀"])
  func theMiddleOfALongLineIsLeftOut(letter: String) {
    let text = "file.json: " + String(repeating: letter, count: 5000) + ": correct it"
    let line = printable(text, limit: 100)
    #expect(line.unicodeScalars.count <= 100 && line.unicodeScalars.count > 80)
    #expect(line.hasPrefix("file.json: ") && line.contains(" … ") && line.hasSuffix(": correct it"))
    #expect(printable(text).hasSuffix(": correct it"))
    #expect(printable("short", limit: 5) == "short")
  }
}
