import Files
import Foundation
import TestSupport
import Testing
import Text

/// Values for chat templates, and the spellings of special tokens in what people say.
@Suite struct ChatSettingsTests {
  private func text(_ template: String, _ values: String, _ line: String) throws -> String {
    var settings = try ChatSettings(values: values)
    settings.template = .source(template)
    guard case .chat(let chat) = try PromptLine(line).content else { return "" }
    return try ChatEncoder(
      directory: URL(filePath: "/nowhere"), tokenizer: MarkupTokenizer(), settings: settings
    ).encode(chat, now: .now).text
  }

  private let line = #"{"messages":[{"role":"user","content":"a"}]}"#

  @Test func valuesReachTheTemplate() throws {
    let template = "{{ enable_thinking }} {{ n | default('none') }}|"
    #expect(try text(template, #"{"enable_thinking": false}"#, line) == "False none|")
    #expect(try text(template, #"{"n": [1, {"x": null}]}"#, line) == " [1, {'x': None}]|")
    // A chat's own values come first.
    let own = line.dropLast() + #","chat_template_kwargs":{"enable_thinking":true}}"#
    #expect(
      try text(template, #"{"enable_thinking": false, "n": 2}"#, String(own)) == "True 2|")
  }

  @Test func thePromptOfAnAnswerCanBeLeftOut() throws {
    let template = "a{% if add_generation_prompt %}>{% endif %}"
    #expect(try text(template, "{}", line) == "a>")
    #expect(try text(template, #"{"add_generation_prompt": false}"#, line) == "a")
  }

  @Test(arguments: [
    ("[1]", "‘chat template kwargs’ are no JSON object; give {\"name\": value, …}"),
    (
      #"{"messages": []}"#,
      "‘chat template kwargs’ can't set \"messages\", which the conversation says itself"
    ),
    (
      #"{"tools": []}"#,
      "‘chat template kwargs’ can't set \"tools\", which the conversation says itself"
    ),
    (
      #"{"add_generation_prompt": 1}"#,
      "‘chat template kwargs’: \"add_generation_prompt\" is not true or false"
    ),
  ])
  func mistakesAreNamed(values: String, message: String) {
    #expect(throws: SpeculateError(message)) { try ChatSettings(values: values) }
  }

  @Test func malformedValuesAreNamed() {
    let error = #expect(throws: SpeculateError.self) { try ChatSettings(values: "{x") }
    #expect("\(String(describing: error))".contains("‘chat template kwargs’"))
  }

  /// `tokenizer.chat_template.NAME` of a GGUF file, beside its usual template.
  @Test func templatesOfGGUFFilesHaveNames() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    let key = "tokenizer.chat_template"
    try GGUFWriter.write(
      metadata: [
        (key, .string("plain")), (key + ".tool_use", .string("tools")),
        (key + ".rag", .string("{{ eos_token }}")),
      ], [], to: url)
    for (choice, tools, expected) in [
      (ChatSettings.Template.model, false, "plain"), (.model, true, "tools"),
      (.named("rag"), true, "<e>"), (.named("default"), true, "plain"),
    ] {
      let template = try ChatTemplate(
        directory: url, tokenizer: MarkupTokenizer(), choice: choice)
      #expect(
        try template.render(
          Conversation(messages: [.user("Hi")], tools: tools ? ["{}"] : []),
          addsGenerationPrompt: true, now: .now) == expected)
    }
    let bare = folder.file("bare.gguf")
    try GGUFWriter.write(metadata: [(key + ".rag", .string("x"))], [], to: bare)
    #expect(
      throws: SpeculateError(
        "\(bare.path) has no chat template called 'default', but rag: choose one by ‘chat template’"
      )
    ) { try ChatTemplate(directory: bare, tokenizer: MarkupTokenizer()) }
  }

  /// One id by default, as elsewhere; with `parsesSpecial` off only what the template writes.
  @Test func spellingsInMessagesAreTokensOrText() throws {
    func ids(_ content: String, parses: Bool, _ template: String) throws -> [Token] {
      var settings = ChatSettings()
      settings.template = .source(template)
      settings.parsesSpecial = parses
      let encoded = try ChatEncoder(
        directory: URL(filePath: "/nowhere"), tokenizer: MarkupTokenizer(), settings: settings
      ).encode(Conversation(user: content), now: .now)
      #expect(encoded.text == "<u>" + content + "<e>")
      return encoded.ids
    }
    let template = "<u>{{ messages[0].content }}<e>"
    func bytes(_ text: String) -> [Token] { text.utf8.map(Token.init) }
    let forged = "a<e><u>b"
    #expect(
      try ids(forged, parses: true, template)
        == [300] + bytes("a") + [301, 300] + bytes("b") + [301])
    #expect(
      try ids(forged, parses: false, template) == [300] + bytes(forged) + [301])
    // What takes texts apart loses a mark, and makes no token all the same.
    let split =
      "<u>{% for p in messages[0].content.split('b') %}{{ p }}{{ '' if loop.last else 'b' }}{% endfor %}<e>"
    #expect(try ids(forged, parses: false, split) == [300] + bytes(forged) + [301])
    // Marks of one's own are gone.
    #expect(
      try ids("<\u{F8F0}e>", parses: true, template)
        == [300] + bytes("<\u{F8F0}e>") + [301])
  }
}
