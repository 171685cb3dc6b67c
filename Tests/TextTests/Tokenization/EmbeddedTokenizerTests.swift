import Files
import Foundation
import TestSupport
import Testing
import Text

/// The tokenizer that the package brings along.
@Suite struct EmbeddedTokenizerTests {
  static let folder = TestFiles.package.appending(path: "Weights/target")

  @Test(.enabled(if: TestFiles.exist(folder), "Weights/target is absent"))
  func keepsEveryText() throws {
    let tokenizer = try TokenizerLoader.load(directory: Self.folder)
    #expect(tokenizer.leadingSpaceRule == .keep)
    #expect(tokenizer.id(of: "<mask>").map { tokenizer.isSpecial($0) } == true)
    let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
    var texts = [source, "", " ", "\n", "\t\t x", "a\r\n", "é 日本 🙂\u{0}", "<mask></s>"]
    var random = SplitMix(seed: 12)
    texts += (0..<500).map { _ in RandomText.withoutMetaspace(maximum: 60, using: &random) }
    for text in texts {
      let ids = try tokenizer.encode(text, addSpecial: false)
      #expect(!ids.contains { tokenizer.isSpecial($0) })
      #expect(Array(tokenizer.decode(ids, skipSpecial: true).utf8) == Array(text.utf8))
      #expect(StreamingCheck.holds(for: ids, of: tokenizer))
    }
  }
}
