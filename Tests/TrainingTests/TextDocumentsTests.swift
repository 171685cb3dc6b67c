import Foundation
import Tensors
import Testing
import Training
import Verifier

/// Prompts of text, of lines to cut from, and of lines that are prompts.
@Suite struct TextDocumentsTests {
  private func prompts(_ text: String, _ lengths: ClosedRange<Int> = 4...4) throws -> [[Token]] {
    let folder = try TemporaryFolder()
    let source = try PromptSource(
      documents: folder.write(Data(text.utf8), to: "data"),
      tokenizer: SentencePieceTokenizer(file: folder.write(TinyTokenizer.data, to: "tiny.model")),
      lengths: lengths, seed: 1)
    #expect(source.documentCount > 0)
    return (0..<40).map { source.prompt($0) }
  }

  @Test func promptsAreTakenFromTheirBeginning() throws {
    let cut = try prompts(#"{"text":"abc\ndef\nghi\njkl"}"#)
    #expect(Set(cut).count > 1)
    let whole = try prompts(#"{"prompt":"abc\ndef\nghi\njkl"}"#, 2...100)
    #expect(Set(whole).count == 1 && whole[0].count > 10)
  }

  @Test func textIsOneDocument() throws {
    let plain = try prompts("abc\ndef\nghi\njkl")
    #expect(try plain == prompts(#"{"text":"abc\ndef\nghi\njkl"}"#))
  }

  @Test func linesWithoutTextAreNamed() throws {
    #expect(throws: SpeculateError.self) { try prompts("{\"words\":\"abc\"}") }
  }
}
