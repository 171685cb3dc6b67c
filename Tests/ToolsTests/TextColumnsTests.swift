import Testing
import Tools

@Suite struct TextColumnsTests {
  private func lines(_ left: String, _ right: String, width: Int = 35) -> [String] {
    TextColumns(width: width).lines(left, right)
  }

  @Test func wordsStayWhole() {
    #expect(
      lines("one two three four five", "one\n\n  two") == [
        "one two three    │ one", "four five        │", "                 │   two",
      ])
  }

  @Test func aLongWordIsBroken() {
    #expect(
      lines("a 0123456789abcdefXYZ", "b") == [
        "a                │ b", "0123456789abcdef │", "XYZ              │",
      ])
  }

  @Test func controlCharactersAreSpaces() {
    #expect(lines("a\u{1B}[2Jb\tc", "") == ["a [2Jb c         │"])
    #expect(lines("a\u{9B}2Jb\u{7F}c", "") == ["a 2Jb c          │"])
  }

  @Test func wideCharactersTakeTwoCells() {
    #expect(lines("日本語日本語日本語", "x") == ["日本語日本語日本 │ x", "語               │"])
  }

  @Test(arguments: [0, 1, 20, 400])
  func everyWidthEnds(width: Int) {
    #expect(!lines(" a  b 🎉 ", "", width: width).isEmpty)
    #expect(lines("", "", width: width).count == 1)
  }
}
