import Foundation
import TestSupport
import Testing
import Text

/// Published templates against Python's Jinja2 (../shared/data, which is not part of the package).
@Suite struct PublishedTemplateTests {
  private static let folder = TestFiles.data("reference/chat_templates")

  private static let templates: [(name: String, text: String)] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".jinja") }.sorted().compactMap { name in
      (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)).map { (name, $0) }
    }

  private static let tool = #"""
    {"type": "function", "function": {"name": "weather", "description": "Today's weather <now>.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "description":
    " Where? ", "enum": ["Köln", "Oslo"]}, "days": {"type": "array", "items": {"type": "integer"},
    "default": [1]}, "unit": {"oneOf": [{"type": "string", "default": "C"}, {"type": "number"}],
    "nullable": true}, "deep": {"type": "object", "properties": {"x": {"type": ["string", "null"]}},
    "required": ["x"]}}, "required": ["city"]}}}
    """#

  private static let parts = #"[{"type": "text", "text": "parts"}]"#

  private static let call = #"""
    {"role": "assistant", "content": "", "tool_calls": [{"id": "abcdefgh1", "type": "function",
    "function": {"name": "weather", "arguments": {"city": "Köln", "days": [1, 2], "wet": true,
    "none": null, "share": 0.5}}}]}
    """#

  /// Members `messages` and perhaps others.
  private static let conversations: [String] = [
    #"{"messages": [{"role": "user", "content": "Hi"}]}"#,
    #"""
    {"messages": [{"role": "system", "content": " Be 'brief'.\n"}, {"role": "user", "content":
    "\n1 < 2 & \"so\" — 😀?  "}]}
    """#,
    #"""
    {"messages": [{"role": "system", "content": "Sum."}, {"role": "user", "content": "1+1"},
    {"role": "assistant", "content": "<think>\neasy\n</think>\n\n2"}, {"role": "user", "content":
    "and /no_think 2+2?"}, {"role": "assistant", "content": "4", "reasoning_content": "hm"}]}
    """#,
    #"""
    {"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"},
    {"role": "user", "content": "3"}], "enable_thinking": false, "thinking": true,
    "reasoning_effort": "high", "date_string": "1 May 2025"}
    """#,
    #"{"messages": [{"role": "user", "content": "Weather?"}], "tools": [\#(tool), \#(tool)]}"#,
    #"""
    {"messages": [{"role": "system", "content": "Help."}, {"role": "user", "content": "Weather?"},
    \#(call), {"role": "tool", "name": "weather", "tool_call_id": "abcdefgh1", "content":
    "{\"sun\": 1}"}, {"role": "assistant", "content": "Sunny."}, {"role": "user", "content":
    "Thanks"}], "tools": [\#(tool)]}
    """#,
    #"""
    {"messages": [{"role": "user", "content": "Weather?"}, \#(call), {"role": "tool",
    "tool_call_id": "abcdefgh1", "content": "rain"}, {"role": "tool", "tool_call_id": "abcdefgh1",
    "content": "wind"}], "tools": [\#(tool)], "tools_in_user_message": false}
    """#,
    #"""
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "parts"}]}], "builtin_tools": ["browser", "python", "code_interpreter"]}
    """#,
    #"{"messages": [{"role": "assistant", "content": "first"}, {"role": "odd", "content": null}]}"#,
  ].map { $0.replacing("\n", with: " ") }

  @Test(.enabled(if: !templates.isEmpty, "../shared/data/reference is absent"))
  func textsAreThoseOfJinja() throws {
    let tokens = ["bos_token": "<s>", "eos_token": "</s>"]
    var cases: [JinjaOracle.Case] = []
    var ours: [(name: String, text: Result<String, any Error>)] = []
    for (name, source) in Self.templates {
      let template = try ChatTemplate(source: source, name: name, specialTokens: tokens)
      for (number, conversation) in Self.conversations.enumerated() {
        for generates in [true, false] {
          var members = try #require(
            JSONSerialization.jsonObject(with: Data(conversation.utf8)) as? [String: Any])
          let options = members.filter { !["messages", "tools"].contains($0.key) }
          // As a person would write it: members of messages and tools in their own order.
          let kwargs = String(
            decoding: try JSONSerialization.data(withJSONObject: options), as: UTF8.self)
          let line = conversation.dropLast() + ", \"chat_template_kwargs\": \(kwargs)}"
          guard case .chat(let chat) = try PromptLine(String(line)).content else { continue }
          ours.append(
            (
              "\(name) on conversation \(number), \(generates ? "with" : "without") a prompt",
              Result {
                try template.render(
                  chat, addsGenerationPrompt: generates, now: JinjaOracle.now)
              }
            ))
          members = tokens
          members["add_generation_prompt"] = generates
          members["documents"] = NSNull()
          let rest = String(
            decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
          let tools = conversation.contains("\"tools\":") ? "" : "\"tools\": null, "
          // Templates that don't look into parts see the text, where Python would print a list.
          let joined = conversation.replacing(Self.parts, with: #""parts""#)
          let seen = source.contains(/for \w+ in (message\.content|message\['content'\]|content)/)
          cases.append(
            JinjaOracle.Case(
              template: source,
              variables: "{" + tools + rest.dropFirst().dropLast() + ", "
                + aliased(seen ? conversation : joined).dropFirst()))
        }
      }
    }
    guard let outcomes = try JinjaOracle.render(cases) else { return }
    var agreeing = 0
    for (ours, outcome) in zip(ours, outcomes) {
      switch ours.text {
      case .success(let text):
        #expect(text == outcome.text, "\(ours.name): \(outcome.error ?? "")")
        agreeing += 1
      case .failure(let error):
        #expect(outcome.text == nil, "\(ours.name): \(error)")
      }
    }
    #expect(outcomes.count == Self.templates.count * Self.conversations.count * 2)
    // Most conversations are possible with most templates.
    #expect(agreeing * 4 > outcomes.count * 3)
  }

  /// With the names of reasoning that transformers adds before rendering.
  private func aliased(_ conversation: String) -> String {
    conversation.replacing(
      #""reasoning_content": "hm""#, with: #""reasoning_content": "hm", "thinking": "hm""#)
  }

  /// Damaged templates are refused or rendered, and never trap.
  @Test(.enabled(if: !templates.isEmpty, "../shared/data/reference is absent"))
  func damagedTemplatesNeverTrap() throws {
    var random = TemplateFuzz(seed: 11)
    for (name, source) in Self.templates {
      let scalars = Array(source.unicodeScalars)
      for round in 0..<60 {
        let damaged = random.damaged(scalars, cuts: round % 3 == 0)
        TemplateFuzz.tryOut(damaged, name, Self.conversations[round % Self.conversations.count])
      }
    }
  }
}
