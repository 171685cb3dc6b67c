import Files
import Foundation
import TestSupport
import Testing
import Text
import Training

/// Prompts of text, of lines to cut from, and of lines that are prompts.
@Suite struct TextDocumentsTests {
  private func prompts(_ text: String, _ lengths: ClosedRange<Int> = 4...4) throws -> [[Token]] {
    let folder = try TemporaryFolder()
    let source = try PromptSource(
      documents: folder.write(Data(text.utf8), to: "data"),
      encoder: ChatEncoder(
        directory: folder.url,
        tokenizer: SentencePieceTokenizer(file: folder.write(TinyTokenizer.data, to: "t.model"))),
      lengths: lengths, seed: 1)
    return try (0..<40).map { try source.prompt($0) }
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

  /// The prompts of lines, by a template that writes a chat's texts with a mark behind each.
  private func chats(
    _ lines: String..., longest: Int = 40
  ) throws -> (prompts: Set<String>, tooLong: Int, message: String) {
    let folder = try TemporaryFolder()
    let template = "{{ bos_token }}{% for m in messages %}{{ m.content }}<mask>{% endfor %}"
    try folder.write(Data(template.utf8), to: "chat_template.jinja")
    let tokenizer = try SentencePieceTokenizer(
      file: folder.write(TinyTokenizer.data, to: "tiny.model"))
    let file = try folder.write(Data(lines.joined(separator: "\n").utf8), to: "data")
    do {
      let source = try PromptSource(
        documents: file, encoder: ChatEncoder(directory: folder.url, tokenizer: tokenizer),
        lengths: 2...longest, seed: 1)
      let prompts = try (0..<40).map {
        tokenizer.decode(try source.prompt($0), skipSpecial: false)
      }
      return (Set(prompts), source.tooLongChats, "")
    } catch {
      return ([], 0, "\(error)".replacing(file.path, with: "data"))
    }
  }

  @Test func chatsAreAskedUpToTheAnswer() throws {
    let made = try chats(
      #"{"messages":[{"role":"user","content":"ab"},{"role":"assistant","content":"cd"},"#
        + #"{"role":"user","content":"ef"},{"role":"assistant","content":"gh"}]}"#,
      #"{"turns":["ij","kl"]}"#, #"{"prompt":"mn"}"#)
    #expect(made.message == "" && made.tooLong == 0)
    #expect(made.prompts == ["<s>ab<mask>cd<mask>ef<mask>", "<s>ij<mask>", "<s>mn"])
  }

  @Test func chatsAreLeftOutRatherThanCut() throws {
    let long = #"{"turns":["abababababababab"]}"#
    let made = try chats(long, #"{"turns":["ij"]}"#, long, longest: 5)
    #expect(made.prompts == ["<s>ij<mask>"] && made.tooLong == 2)
    #expect(
      try chats(long, longest: 5).message
        == "the shortest chat of data has 10 tokens, but a prompt at most 5; give a greater "
        + "‘longest prompt’")
    #expect(
      try chats(#"{"turns":["a"]}"#, #"{"turns":[]}"#).message
        == "data: line 2 has a field \"turns\" that is no list of texts; correct the line")
  }
}
