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

  private static let silentCall = call.replacing(#""content": """#, with: #""content": null"#)

  /// Members `messages` and perhaps others: what is told to templates beside them.
  private static let conversations: [String] = [
    // A user alone; a system message, blanks and signs; several turns with reasoning.
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
    // Values for the template.
    #"""
    {"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"},
    {"role": "user", "content": "3"}], "enable_thinking": false, "thinking": true,
    "reasoning_effort": "high", "date_string": "1 May 2025"}
    """#,
    #"""
    {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "1"}],
    "enable_thinking": true, "thinking": false, "model_identity": "You are nobody.", "xml_tools": ["x"]}
    """#,
    // Tools, calls of them, and what they say.
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
    {"messages": [{"role": "user", "content": "Weather?"}, \#(silentCall), {"role": "tool", "tool_call_id":
    "abcdefgh1", "content": "rain"}], "tools": [\#(tool)]}
    """#,
    // Content in parts.
    #"""
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "parts"}]}], "builtin_tools": ["browser", "python", "code_interpreter"]}
    """#,
    // Unicode and line ends of all kinds.
    #"""
    {"messages": [{"role": "system", "content": "è\u0301\u200d\u00a0\t"}, {"role": "user", "content":
    "\r\nZeile\u2028zwei\u0085drei\n\n\n日本語 \ud83d\udc69\u200d\ud83d\udcbb {{ x }} {% y %} \\n"}]}
    """#,
    // Answers to go on from, one with blanks around it and one that stands in the text before too.
    #"{"messages": [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "Once upon"}]}"#,
    #"""
    {"messages": [{"role": "system", "content": "end"}, {"role": "user", "content": "end"}, {"role": "assistant",
    "content": " end "}]}
    """#,
    // What most templates refuse.
    #"{"messages": [{"role": "assistant", "content": "first"}, {"role": "odd", "content": null}]}"#,
  ].map { $0.replacing("\n", with: " ") }

  private struct Trial {
    let name: String
    let text: Result<String, any Error>
    let expected: JinjaOracle.Case
  }

  /// A template on a conversation, here and what Jinja is to be asked.
  private static func trial(
    _ template: ChatTemplate, _ source: String, _ number: Int, generates: Bool, continues: Bool
  ) throws -> Trial? {
    let conversation = conversations[number]
    let members = try #require(
      JSONSerialization.jsonObject(with: Data(conversation.utf8)) as? [String: Any])
    let options = members.filter { !["messages", "tools"].contains($0.key) }
    // As a person would write it: members of messages and tools in their own order.
    let kwargs = String(
      decoding: try JSONSerialization.data(withJSONObject: options), as: UTF8.self)
    let line = conversation.dropLast() + ", \"chat_template_kwargs\": \(kwargs)}"
    guard case .chat(let chat) = try PromptLine(String(line)).content else { return nil }
    if continues, chat.unfinishedAnswer == nil { return nil }
    var others: [String: Any] = tokens
    others["add_generation_prompt"] = generates && !continues
    others["documents"] = NSNull()
    let rest = String(
      decoding: try JSONSerialization.data(withJSONObject: others), as: UTF8.self)
    let tools = conversation.contains("\"tools\":") ? "" : "\"tools\": null, "
    // Templates that don't look into parts see the text, where Python would print a list.
    let joined = conversation.replacing(parts, with: #""parts""#)
    let seen = source.contains(/for \w+ in (message\.content|message\['content'\]|content)/)
    return Trial(
      name:
        "\(template.name) on conversation \(number), prompt \(generates), continued \(continues)",
      text: Result {
        try template.render(
          chat, addsGenerationPrompt: generates, continuesAnswer: continues, now: JinjaOracle.now)
      },
      expected: JinjaOracle.Case(
        template: source,
        variables: "{" + tools + rest.dropFirst().dropLast() + ", "
          + (seen ? conversation : joined).dropFirst(), continues: continues))
  }

  private static let tokens = ["bos_token": "<s>", "eos_token": "</s>"]

  @Test(.enabled(if: !templates.isEmpty, "../shared/data/reference is absent"))
  func textsAreThoseOfJinja() throws {
    var trials: [Trial] = []
    for (name, source) in Self.templates {
      let template = try ChatTemplate(source: source, name: name, specialTokens: Self.tokens)
      for number in Self.conversations.indices {
        for (generates, continues) in [(true, false), (false, false), (true, true)] {
          if let trial = try Self.trial(
            template, source, number, generates: generates, continues: continues)
          {
            trials.append(trial)
          }
        }
      }
    }
    guard let outcomes = try JinjaOracle.render(trials.map(\.expected)) else { return }
    var agreeing = 0
    for (trial, outcome) in zip(trials, outcomes) {
      switch trial.text {
      case .success(let text):
        #expect(text == outcome.text, "\(trial.name): \(outcome.error ?? "")")
        agreeing += 1
      case .failure(let error):
        #expect(outcome.text == nil, "\(trial.name): \(error)")
      }
    }
    #expect(outcomes.count >= Self.templates.count * Self.conversations.count * 2)
    // Most conversations are possible with most templates.
    #expect(agreeing * 4 > outcomes.count * 3)
    print("chat templates: \(agreeing) texts of \(outcomes.count) conversations are Jinja's")
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
