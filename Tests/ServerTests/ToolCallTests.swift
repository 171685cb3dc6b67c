import Server
import Testing

/// Calls of functions, told apart from text as it comes.
@Suite struct ToolCallTests {
  struct Case: Sendable {
    let syntax: ToolSyntax
    let answer: String
    let text: String
    let calls: [ToolCall]
  }

  private static let bonn = ToolCall(name: "weather", arguments: #"{"city": "Bonn"}"#)

  static let cases = [
    Case(
      syntax: .hermes,
      answer:
        "Let me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}\n</tool_call>",
      text: "Let me see.\n", calls: [bonn]),
    Case(
      syntax: .hermes,
      answer: "<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\": \"Bonn\"}}</tool_call>\n"
        + "<tool_call>{\"name\":\"now\"}</tool_call>",
      text: "", calls: [bonn, ToolCall(name: "now", arguments: "{}")]),
    Case(
      syntax: .hermes, answer: "a < b and <tool_cal", text: "a < b and <tool_cal", calls: []),
    Case(
      syntax: .hermes, answer: "<tool_call>nothing</tool_call> said",
      text: "<tool_call>nothing</tool_call> said", calls: []),
    // What is cut off is text, unless it is whole but for its mark.
    Case(
      syntax: .hermes, answer: "<tool_call>{\"name\": \"wea", text: "<tool_call>{\"name\": \"wea",
      calls: []),
    Case(
      syntax: .llama, answer: #"{"name": "weather", "parameters": {"city": "Bonn"}}"#, text: "",
      calls: [bonn]),
    Case(
      syntax: .llama, answer: #"<|python_tag|>{"name": "weather", "parameters": {"city": "Bonn"}}"#,
      text: "", calls: [bonn]),
    Case(
      syntax: .llama,
      answer:
        #"{"name": "weather", "parameters": {"city": "Bonn"}}; {"name": "now", "parameters": {}}"#,
      text: "", calls: [bonn, ToolCall(name: "now", arguments: "{}")]),
    Case(
      syntax: .llama, answer: #"Use {"name": "weather", "parameters": {}}"#,
      text: #"Use {"name": "weather", "parameters": {}}"#, calls: []),
    Case(syntax: .llama, answer: #"{"a": 1}"#, text: #"{"a": 1}"#, calls: []),
    Case(
      syntax: .mistral,
      answer: #"[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Bonn"}}]"#, text: "",
      calls: [bonn]),
    Case(
      syntax: .mistral, answer: #"[TOOL_CALLS]weather[ARGS]{"city": "Bonn"}"#, text: "",
      calls: [bonn]),
    Case(
      syntax: .mistral,
      answer: #"[TOOL_CALLS]weather[CALL_ID]a1[ARGS]{"city": "Bonn"}[TOOL_CALLS]now[ARGS]{}"#,
      text: "",
      calls: [bonn, ToolCall(name: "now", arguments: "{}")]),
    Case(
      syntax: .qwenCoder,
      answer:
        "<tool_call>\n<function=weather>\n<parameter=city>\nBonn\n</parameter>\n<parameter=days>\n3\n"
        + "</parameter>\n</function>\n</tool_call>",
      text: "", calls: [ToolCall(name: "weather", arguments: #"{"city": "Bonn", "days": 3}"#)]),
  ]

  /// However an answer is cut into pieces, the same comes out.
  @Test(arguments: cases.indices) func callsAreFound(index: Int) {
    let own = Self.cases[index]
    for size in [1, 2, 3, 7, 1000] {
      var parser = ToolCallParser(own.syntax)
      var text = ""
      var calls: [ToolCall] = []
      var rest = own.answer[...]
      while !rest.isEmpty {
        let output = parser.append(String(rest.prefix(size)))
        rest = rest.dropFirst(size)
        text += output.text
        calls += output.calls
      }
      let output = parser.finish()
      #expect(text + output.text == own.text, "pieces of \(size)")
      #expect(calls + output.calls == own.calls, "pieces of \(size)")
    }
  }

  @Test func templatesTellTheirSyntax() {
    #expect(ToolSyntax(template: "…<tool_call>…</tool_call>…") == .hermes)
    #expect(ToolSyntax(template: "…<tool_call><function=…") == .qwenCoder)
    #expect(ToolSyntax(template: "…[TOOL_CALLS]…") == .mistral)
    #expect(ToolSyntax(template: "…<|python_tag|>…") == .llama)
    #expect(ToolSyntax(template: "{{ messages }}") == nil)
  }
}
