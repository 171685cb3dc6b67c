import Files
import Foundation
import TestSupport
import Testing
import Text

/// Content in parts, content that is null, and answers to go on from.
@Suite struct ContentPartTests {
  private static let printing =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    + "{% if add_generation_prompt %}<assistant>{% endif %}"
  private static let looping =
    "{% for m in messages %}<{{ m.role }}>{% if m.content is string %}{{ m.content }}{% else %}"
    + "{% for c in m.content %}[{{ c.text }}]{% endfor %}{% endif %}<end>{% endfor %}"
  private static let dropping =
    "{% for m in messages %}<{{ m.role }}>{% if m.content is string %}{{ m.content | trim }}"
    + "{% endif %}<end>{% endfor %}"
  private static let splitting =
    "{% for m in messages %}<{{ m.role }}>{{ m.content.split('|')[-1] }}<end>{% endfor %}"
  private static let writingJSON =
    "{% for m in messages %}<{{ m.role }}>{{ m.content | tojson }}<end>{% endfor %}"

  private func conversation(_ messages: String) throws -> Conversation {
    guard case .chat(let chat) = try PromptLine(#"{"messages":[\#(messages)]}"#).content else {
      throw SpeculateError("no chat")
    }
    return chat
  }

  private func text(
    _ template: String, _ messages: String, prompt: Bool = false, continues: Bool = false
  ) throws -> String {
    try ChatTemplate(source: template, name: "t").render(
      conversation(messages), addsGenerationPrompt: prompt, continuesAnswer: continues, now: .now)
  }

  @Test(arguments: [printing, dropping, splitting, writingJSON])
  func templatesOfTextsSeeTheText(template: String) throws {
    let parts = #"{"role":"user","content":[{"type":"text","text":"hi"}]}"#
    let plain = #"{"role":"user","content":"hi"}"#
    #expect(try text(template, parts) == text(template, plain))
    let two =
      #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#
    #expect(try text(template, two) == text(template, #"{"role":"user","content":"a\nb"}"#))
  }

  @Test func templatesOfPartsSeeTheParts() throws {
    #expect(
      try text(
        Self.looping,
        #"{"role":"system","content":"s"},"#
          + #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#)
        == "<system>s<end><user>[a][b]<end>")
  }

  @Test(arguments: [
    (
      #"[{"type":"image_url","image_url":{"url":"x"}}]"#,
      "the type \"image_url\", which is not supported"
    ),
    (
      #"[{"type":"text","text":"a"},{"type":"input_audio"}]"#,
      "the type \"input_audio\", which is not supported"
    ),
    (#"[{"type":"text"}]"#, "no \"text\""), (#"["a"]"#, "no \"type\""), ("[1]", "no \"type\""),
  ])
  func otherPartsAreNamed(content: String, problem: String) {
    #expect(
      throws: SpeculateError(
        "is no chat: a part of message 2 has \(problem); give {\"type\": \"text\", \"text\": …}")
    ) {
      try conversation(
        #"{"role":"system","content":"s"},{"role":"user","content":\#(content)}"#)
    }
  }

  @Test func whatIsNullIsAbsent() throws {
    let template = "{% for m in messages %}{{ 'content' in m }} {{ m.content }}|{% endfor %}"
    #expect(
      try text(
        template,
        #"{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},"#
          + #"{"role":"assistant","content":"a","tool_calls":[{"id":"1"}]},"#
          + #"{"role":"user","content":null}"#) == "False |True a|False |")
  }

  @Test(arguments: [
    ("and then", "<user>a<end><assistant>and then"), (" x ", "<user>a<end><assistant> x "),
    ("a", "<user>a<end><assistant>a"), ("end", "<user>a<end><assistant>end"),
    ("", "<user>a<end><assistant>"),
  ])
  func answersAreGoneOnFrom(answer: String, expected: String) throws {
    let messages =
      #"{"role":"user","content":"a"},{"role":"assistant","content":"\#(answer)"}"#
    #expect(try text(Self.printing, messages, prompt: true, continues: true) == expected)
    let trimmed = "<user>a<end><assistant>" + answer.trimmingCharacters(in: .whitespaces)
    #expect(try text(Self.dropping, messages, continues: true) == trimmed)
  }

  @Test func whatCannotBeGoneOnFromIsNamed() throws {
    let question = #"{"role":"user","content":"a"}"#
    for messages in [question, question + #",{"role":"assistant","tool_calls":[]}"#] {
      #expect(
        throws: SpeculateError(
          "the last message has no text of the assistant's to go on from; give one, or ask for an "
            + "answer")
      ) { try text(Self.printing, messages, continues: true) }
    }
    #expect(
      throws: SpeculateError(
        "t: the template doesn't write the assistant's message as it is, so that an answer can't go "
          + "on from it; ask for an answer instead")
    ) {
      try text(
        "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
        question + #",{"role":"assistant","content":"b"}"#, continues: true)
    }
  }

  /// A byte order mark in front of a file is no text of it.
  @Test func marksOfByteOrderAreDropped() throws {
    let mark = Data("\u{FEFF}".utf8)
    let tokenizer = #"""
      {"model":{"type":"BPE","merges":[],"vocab":{"a":0}},"pre_tokenizer":{"type":"ByteLevel"}}
      """#
    let files = [
      "tokenizer.json": mark + Data(tokenizer.utf8),
      "tokenizer_config.json": mark + Data(#"{"bos_token":"a"}"#.utf8),
      "chat_template.jinja": mark + Data("plain".utf8),
      "additional_chat_templates/tool_use.jinja": mark + Data("tools".utf8),
    ]
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.file("additional_chat_templates"), withIntermediateDirectories: true)
    for (name, content) in files { try folder.write(content, to: name) }
    let loaded = try TokenizerLoader.load(directory: folder.url)
    #expect(loaded.beginToken == 0)
    let template = try ChatTemplate(directory: folder.url, tokenizer: loaded)
    func text(_ conversation: Conversation) throws -> String {
      try template.render(conversation, addsGenerationPrompt: false, now: .now)
    }
    #expect(try text(Conversation(user: "x")) == "plain")
    #expect(try text(Conversation(messages: [.user("x")], tools: ["{}"])) == "tools")
  }
}
