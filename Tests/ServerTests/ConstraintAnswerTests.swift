import Files
import Foundation
import Server
import Speculate
import Testing
import Text

/// Answers that are held to a grammar by the fields of OpenAI, vLLM and llama-server.
@Suite struct ConstraintAnswerTests {
  static let message = #""messages":[{"role":"user","content":"Where?"}]"#
  static let schema =
    #"{"type":"object","properties":{"city":{"enum":["Bonn","Köln"]},"n":{"type":"integer","minimum":0,"maximum":20}},"required":["city","n"]}"#
  static let tools =
    #""tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"enum":["Bonn","Köln"]}},"required":["city"]}}},{"type":"function","function":{"name":"now"}}]"#

  private func isPlace(_ text: String?) -> Bool {
    guard let value = try? JSONValue(parsing: text ?? ""), value.members?.count == 2 else {
      return false
    }
    return ["Bonn", "Köln"].contains(value["city"]?.text)
      && (0...20).contains(value["n"]?.integer ?? -1)
  }

  @Test func schemasHoldAnswers() async throws {
    try await withServer(TinyService.make()) { server in
      let fields = [
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"place\",\"schema\":\(Self.schema)}}",
        "\"response_format\":{\"type\":\"json_object\",\"schema\":\(Self.schema)}",
        "\"guided_json\":\(Self.schema)", "\"guided_json\":\(jsonLiteral(Self.schema))",
        "\"json_schema\":\(Self.schema)", "\"structured_outputs\":{\"json\":\(Self.schema)}",
      ]
      var answers: Set<String> = []
      for (index, field) in fields.enumerated() {
        for temperature in [0, 1] {
          let own = "\(field),\"temperature\":\(temperature),\"seed\":\(index / 3)"
          let answer = try server.chat("\(Self.message),\(own)")
          #expect(answer.status == 200 && self.isPlace(answer.content), "\(answer.text)")
          #expect(
            answer.json?["choices"]?.elements?.first?["finish_reason"] == .string("stop"))
          answers.insert(answer.content ?? "")
          let completion = try server.complete("\"prompt\":\"a\",\"max_tokens\":60,\(own)")
          #expect(self.isPlace(completion.content), "\(completion.text)")
        }
      }
      #expect(answers.count > 1)
    }
  }

  @Test func otherGrammarsHoldAnswers() async throws {
    try await withServer(TinyService.make()) { server in
      func content(_ fields: String) throws -> String? {
        try server.chat("\(Self.message),\(fields)").content
      }
      for seed in 0..<4 {
        let end = ",\"seed\":\(seed)"
        for field in [
          #""guided_choice":["yes","no"]"#, #""structured_outputs":{"choice":["yes","no"]}"#,
        ] {
          let text = try content(field + end)
          #expect(text == "yes" || text == "no")
        }
        let grammar = #""root ::= \"a\"{2,3} [xy]""#
        for field in ["guided_grammar", "grammar"] {
          let text = try content("\"\(field)\":\(grammar)" + end)
          #expect(["aax", "aay", "aaax", "aaay"].contains(text))
        }
        let number = try content(#""guided_regex":"[1-9][0-9]{2}""# + end)
        #expect((100...999).contains(Int(number ?? "") ?? 0))
      }
      // Cut by the limit it is the beginning of an object.
      let brace = try #require(TinyService.tokenizer.id(of: "<0x7D>"))
      let cut = try server.chat(
        "\(Self.message),\"response_format\":{\"type\":\"json_object\"},\"max_tokens\":3,"
          + "\"logit_bias\":{\"\(brace)\":-50},\"temperature\":0")
      #expect(cut.content?.first == "{")
      #expect(cut.json?["choices"]?.elements?.first?["finish_reason"] == .string("length"))
      let text = try server.chat(
        "\(Self.message),\"response_format\":{\"type\":\"text\"},\"max_tokens\":3")
      #expect(text.status == 200)
    }
  }

  @Test func answersThatHaveToCallDo() async throws {
    try await withServer(TinyService.make()) { server in
      var names: Set<String> = []
      for seed in 0..<6 {
        let fields =
          "\(Self.message),\(Self.tools),\"tool_choice\":\"required\",\"parallel_tool_calls\":false,\"seed\":\(seed)"
        let answer = try server.chat(fields)
        let choice = try #require(answer.json?["choices"]?.elements?.first)
        #expect(choice["finish_reason"] == .string("tool_calls"), "\(answer.text)")
        #expect(choice["message"]?["content"] == .null)
        let calls = try #require(choice["message"]?["tool_calls"]?.elements)
        try #require(calls.count == 1)
        let name = calls[0]["function"]?["name"]?.text ?? ""
        names.insert(name)
        let arguments = try JSONValue(parsing: calls[0]["function"]?["arguments"]?.text ?? "")
        if name == "weather" {
          #expect(["Bonn", "Köln"].contains(arguments["city"]?.text))
        } else {
          #expect(name == "now" && arguments == .object([:]))
        }
      }
      #expect(names.count == 2)
      let named = try server.chat(
        "\(Self.message),\(Self.tools),\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"now\"}}"
      )
      let calls = named.json?["choices"]?.elements?.first?["message"]?["tool_calls"]?.elements
      #expect(calls?.count == 1 && calls?.first?["function"]?["name"]?.text == "now")
      let events = try server.stream(
        "/v1/chat/completions",
        "\(Self.message),\(Self.tools),\"tool_choice\":\"required\",\"parallel_tool_calls\":false")
      #expect(events.contains { $0.contains("tool_calls") && $0.contains("arguments") })
    }
  }

  /// Whoever shares the rounds, an answer is the one that it would get alone.
  @Test func answersOfAllKindsShareRounds() async throws {
    try await withServer(TinyService.make()) { server in
      let requests = (0..<12).map { index in
        let own = [
          "\"guided_json\":\(Self.schema)", "\"max_tokens\":30",
          "\"guided_regex\":\"(ab|c){5,20}\"",
        ][index % 3]
        return "\(Self.message),\(own),\"seed\":\(index),\"temperature\":\(index % 2)"
      }
      let alone = try requests.map { try server.chat($0).content }
      let together = TextList(count: requests.count)
      DispatchQueue.concurrentPerform(iterations: requests.count) { index in
        together.set(index, (try? server.chat(requests[index]))?.content)
      }
      #expect(together.texts == alone && !alone.contains(nil))
    }
  }

  static let mistakes: [(fields: String, parameter: String, message: String)] = [
    (
      #""response_format":{"type":"yaml"}"#, "response_format.type",
      #"answers can't be held to the format "yaml" here; use "text", "json_object" or "json_schema""#
    ),
    (
      #""response_format":{}"#, "response_format.type",
      #""response_format.type" is missing; give "text", "json_object" or "json_schema""#
    ),
    (
      #""response_format":{"type":"json_schema"}"#, "response_format.json_schema",
      #""response_format.json_schema" is missing; give {"name": …, "schema": {…}}"#
    ),
    (
      #""response_format":{"type":"json_schema","json_schema":{"name":"a"}}"#,
      "response_format.json_schema.schema",
      #""response_format.json_schema.schema" is missing; give a JSON schema"#
    ),
    (
      #""response_format":{"type":"json_schema","json_schema":{"schema":{"not":{}}}}"#,
      "response_format.json_schema.schema",
      #""response_format.json_schema.schema": #/not is not supported; leave it out, or say it in words"#
    ),
    (
      #""guided_json":"{""#, "guided_json",
      #""guided_json" is not valid JSON at byte 1: """ should stand here, but the document ends; correct it"#
    ),
    (
      #""guided_grammar":"root ::= x""#, "guided_grammar",
      #""guided_grammar": the grammar has no rule "x", but another one names it"#
    ),
    (
      #""guided_regex":"(""#, "guided_regex",
      #"the pattern "(" can't be used: at character 1: a group is not closed"#
    ),
    (#""guided_choice":[1]"#, "guided_choice", #""guided_choice" is not a list of texts"#),
    (
      #""structured_outputs":{}"#, "structured_outputs",
      #""structured_outputs" has none of "json", "json_object", "grammar", "regex" and "choice"; give one"#
    ),
    (
      #""guided_regex":"a","guided_choice":["a"]"#, "guided_choice",
      #""guided_regex" and "guided_choice" both hold the answer to something; leave one out"#
    ),
    (
      #""guided_regex":"a","ignore_eos":true"#, "ignore_eos",
      #""ignore_eos" can't be with an answer that is held to a grammar; leave one out"#
    ),
    (
      #""guided_regex":"a",\#(tools)"#, "tools",
      #"an answer that is held to a grammar can't call functions; use "tool_choice": "none""#
    ),
    (
      #""tool_choice":"required""#, "tool_choice",
      #""tool_choice" requires a call, but there are no "tools""#
    ),
    (
      #"\#(tools),"tool_choice":{"function":{"name":"x"}}"#, "tool_choice",
      #"there is no function "x" among "tools""#
    ),
    (
      #"\#(tools),"tool_choice":"always""#, "tool_choice",
      #""tool_choice" is none of "none", "auto", "required" and {"type": "function", "function": {"name": …}}; use one of them"#
    ),
    (
      #""tools":[{"type":"function","function":{"name":"f","parameters":{"if":{}}}}],"tool_choice":"required""#,
      "tools",
      #""tools[0].function.parameters": #/if is not supported; leave it out, or say it in words"#
    ),
  ]

  @Test func mistakesAreNamed() async throws {
    try await withServer(TinyService.make()) { server in
      for (fields, parameter, message) in Self.mistakes {
        let answer = try server.chat("\(Self.message),\(fields)")
        #expect(
          answer.status == 400 && answer.error("param") == .string(parameter), "\(answer.text)")
        #expect(answer.error("message") == .string(message))
        #expect(answer.error("type") == .string("invalid_request_error"))
      }
    }
    let coder = "{% if tools %}<tool_call><function={{ tools }}{% endif %}{{ messages[0].content }}"
    try await withServer(TinyService.make(template: coder)) { server in
      let answer = try server.chat("\(Self.message),\(Self.tools),\"tool_choice\":\"required\"")
      #expect(answer.status == 400 && answer.error("param") == .string("tool_choice"))
    }
  }

  /// What each family writes is what its parser reads, with special tokens or without.
  @Test(arguments: [
    (ToolSyntax.hermes, "<tool_call>"), (ToolSyntax.llama, ""),
    (ToolSyntax.mistral, "[TOOL_CALLS] ["),
    (ToolSyntax.mistral, "[TOOL_CALLS][ARGS]"),
  ]) func familiesReadWhatTheyAreHeldTo(_ syntax: ToolSyntax, _ template: String) throws {
    let functions = [
      CalledFunction(name: "f", parameters: #"{"const": {"a": [1]}}"#, place: "f"),
      CalledFunction(name: "g_2", parameters: nil, place: "g"),
    ]
    for isRepeated in [false, true] {
      let form = try #require(
        syntax.form(template, isRepeated: isRepeated, isSpecial: { _ in false }))
      let grammar = try TokenGrammar(
        Grammar(.calls(form, functions)), TokenTrie(TinyService.tokenizer))
      for seed in 0..<10 {
        var random = SplitMix(seed: UInt64(seed))
        var state = grammar.start
        var ids: [Token] = []
        while !grammar.accepts(state) || ids.count < 10 * seed, !grammar.mustEnd(state) {
          let mask = try grammar.mask(state)
          let allowed = (0..<Token(TinyService.vocabulary)).filter(mask.contains)
          let token = try #require(allowed.randomElement(using: &random))
          ids.append(token)
          state = try #require(try grammar.advance(state, by: token))
        }
        var parser = ToolCallParser(syntax)
        let text = TinyService.tokenizer.decode(ids, skipSpecial: false)
        var output = parser.append(text)
        let rest = parser.finish()
        output.calls += rest.calls
        #expect(output.text + rest.text == "", "\(text)")
        #expect(!output.calls.isEmpty && (isRepeated || output.calls.count == 1))
        for call in output.calls {
          #expect(
            call == ToolCall(name: "f", arguments: #"{"a": [1]}"#)
              || call == ToolCall(name: "g_2", arguments: "{}"))
        }
      }
    }
  }
}

/// Texts that several threads set.
private final class TextList: @unchecked Sendable {
  // Unchecked: guarded by the lock.
  private let lock = NSLock()
  private var own: [String?]

  init(count: Int) { own = [String?](repeating: nil, count: count) }

  func set(_ index: Int, _ text: String?) { lock.withLock { own[index] = text } }
  var texts: [String?] { lock.withLock { own } }
}
