import Files
import Foundation
import Testing
import Text

/// Lines of prompt files.
@Suite struct PromptLineTests {
  private func describe(_ line: String) throws -> String {
    switch try PromptLine(line).content {
    case .chat(let conversation):
      let template = "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}{{ tools }}"
      return "chat "
        + (try ChatTemplate(source: template, name: "t").render(
          conversation.awaitingAnswer(), addsGenerationPrompt: true, now: .now))
    case .turns(let turns): return "turns \(turns)"
    case .prompt(let prompt): return "prompt \(prompt)"
    case .document(let text): return "document \(text)"
    }
  }

  @Test(arguments: [
    (#"{"prompt":"a","other":{"messages":1}}"#, "prompt a"),
    (#" {"text":"a\nb"} "#, "document a\nb"),
    (#"{"turns":["a","b"],"prompt":"c","category":"x"}"#, #"turns ["a", "b"]"#),
    (
      #"{"text":"Add.","code":"","test_list":["assert 1","assert 2"]}"#,
      "prompt You are an expert Python programmer, and here is your task: Add. Your code should "
        + "pass these tests:\n\nassert 1\nassert 2\n"
    ),
    (#"{"messages":[{"role":"user","content":"a"}],"prompt":"b"}"#, "chat user=a;None"),
    (
      #"""
      {"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},
      {"role":"assistant","content":"b"}],"tools":["t"]}
      """#.replacing("\n", with: ""), "chat system=s;user=a;['t']"
    ),
  ])
  func linesAreRead(line: String, expected: String) throws {
    #expect(try describe(line) == expected)
  }

  @Test func categoriesAreKept() throws {
    #expect(try PromptLine(#"{"turns":["a"],"category":"x"}"#).category == "x")
    #expect(try PromptLine(#"{"prompt":"a"}"#).category == nil)
  }

  @Test(arguments: [
    (
      "a", "is not valid JSON at byte 0: a value should stand here; correct the line or remove it"
    ),
    ("[1]", "is not a JSON object; correct the line"),
    (
      #"{"words":"a"}"#,
      "holds neither prompt nor text: \"messages\", \"turns\", \"prompt\" or \"text\" should be there; correct the "
        + "line"
    ),
    (#"{"turns":[]}"#, "has a field \"turns\" that is no list of texts; correct the line"),
    (#"{"turns":["a",1]}"#, "has a field \"turns\" that is no list of texts; correct the line"),
    (
      #"{"messages":"a"}"#,
      "is no chat: \"messages\" is not a list; give [{\"role\": …, \"content\": …}, …]"
    ),
    (#"{"messages":[]}"#, "is no chat: \"messages\" is empty; give at least one message"),
    (
      #"{"messages":[{"content":"a"}]}"#,
      "is no chat: a message is not an object with a \"role\"; give {\"role\": …, \"content\": …}"
    ),
    (
      #"{"messages":[{"role":"user","content":"a"}],"tools":1}"#,
      "is no chat: \"tools\" is not a list; correct it"
    ),
  ])
  func mistakes(line: String, message: String) {
    #expect(throws: SpeculateError(message)) { _ = try PromptLine(line) }
  }

  @Test func anAnswerAloneAsksNothing() throws {
    #expect(
      throws: SpeculateError(
        "holds only the assistant's messages; give a user's too")
    ) { _ = try describe(#"{"messages":[{"role":"assistant","content":"a"}]}"#) }
  }

  @Test func aSystemMessageIsAddedOnce() throws {
    let template = try ChatTemplate(
      source: "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}", name: "t")
    func text(_ conversation: Conversation) throws -> String {
      try template.render(conversation, addsGenerationPrompt: false, now: .now)
    }
    #expect(try text(Conversation(user: "a").withSystem("s")) == "system=s;user=a;")
    #expect(
      try text(Conversation(system: "own", user: "a").withSystem("s")) == "system=own;user=a;")
  }
}
