import Files
import Foundation
import TestSupport
import Testing
import Text

/// Templates of model folders, and the ids of what they write.
@Suite struct ChatTemplateLoadingTests {
  /// A byte-level tokenizer with some special tokens, which puts a begin token in front of texts.
  private static let tokenizer = #"""
    {"added_tokens":[{"id":256,"content":"<s>","special":true,"single_word":false,"lstrip":false,
    "rstrip":false,"normalized":false},{"id":257,"content":"<end>","special":true,
    "single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],"normalizer":null,
    "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
    "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
    {"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[256],
    "tokens":["<s>"]}}},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","merges":[],"vocab":{
    "!":0,"a":1,"b":2,"H":3,"i":4,"<":5,"s":6,">":7,"e":8,"n":9,"d":10,"/":11}}}
    """#

  private func render(_ files: [String: String], tools: Bool = false) throws -> String {
    try TestFiles.withFolder(folderFiles(files)) { folder in
      let tokenizer = try TokenizerLoader.load(directory: folder)
      let line = #"{"messages":[{"role":"user","content":"Hi"}],"tools":\#(tools ? "[]" : "null")}"#
      guard case .chat(let chat) = try PromptLine(line).content else { return "" }
      return try ChatTemplate(directory: folder, tokenizer: tokenizer).render(
        chat, addsGenerationPrompt: true, now: .now)
    }
  }

  private func folderFiles(_ files: [String: String]) -> [String: Data] {
    var all = files.mapValues { Data($0.utf8) }
    all["tokenizer.json"] = Data(Self.tokenizer.utf8)
    return all
  }

  @Test func aFileOfItsOwnComesFirst() throws {
    let configuration = #"{"chat_template":"config {{ messages[0].content }}"}"#
    #expect(try render(["tokenizer_config.json": configuration]) == "config Hi")
    #expect(
      try render([
        "tokenizer_config.json": configuration, "chat_template.jinja": "file {{ tools }}\n",
      ]) == "file None")
  }

  @Test func ofSeveralTemplatesTheDefaultCounts() throws {
    let configuration = """
      {"chat_template":[{"name":"tool_use","template":"tools"},{"name":"default","template":"plain"}]}
      """
    #expect(try render(["tokenizer_config.json": configuration]) == "plain")
    #expect(try render(["tokenizer_config.json": configuration], tools: true) == "tools")
  }

  @Test func specialTokensAreKnown() throws {
    let template = #""chat_template":"{{ bos_token }}|{{ eos_token }}|{{ pad_token }}""#
    #expect(
      try render([
        "tokenizer_config.json":
          #"{"bos_token":{"content":"<b>"},"eos_token":"<e>","pad_token":null,\#(template)}"#,
        "special_tokens_map.json": #"{"bos_token":"<other>","pad_token":"<p>"}"#,
      ]) == "<other>|<e>|<p>")
    // A configuration that lists its added tokens is newer than the map.
    #expect(
      try render([
        "tokenizer_config.json":
          #"{"bos_token":"<b>","eos_token":"<e>","added_tokens_decoder":{},\#(template)}"#,
        "special_tokens_map.json": #"{"bos_token":"<other>","pad_token":"<p>"}"#,
      ]) == "<b>|<e>|")
    let image = #""chat_template":"{{ image_token }}|{{ boi_token }}""#
    #expect(
      try render([
        "tokenizer_config.json":
          #"{"extra_special_tokens":{"image_token":"<i>","boi_token":{"content":"<j>"}},\#(image)}"#
      ]) == "<i>|<j>")
    #expect(
      try render(["tokenizer_config.json": #"{"extra_special_tokens":["<i>"],\#(image)}"#]) == "|")
    // The tokenizer's own begin token, where no file names one.
    #expect(try render(["tokenizer_config.json": "{\(template)}"]).hasPrefix("<s>|"))
    #expect(
      try render(["tokenizer_config.json": "{\"bos_token\":null,\(template)}"]).hasPrefix("|"))
  }

  @Test func foldersWithoutAUsableTemplate() throws {
    func message(_ files: [String: String]) -> String {
      do {
        return "no error: \(try render(files))"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      message(["tokenizer_config.json": "{}"]).hasSuffix(
        " has no chat template, neither chat_template.jinja nor a \"chat_template\" in "
          + "tokenizer_config.json; give an instruction model's folder, or prompts that are no "
          + "chats"))
    #expect(
      message(["chat_template.jinja": "a\n{% if %}"]).hasSuffix(
        "/chat_template.jinja: template line 2: unexpected '%}', expected an expression"))
    #expect(
      message(["tokenizer_config.json": #"{"chat_template":"{{ x.y }}"}"#]).hasSuffix(
        "/tokenizer_config.json: chat_template: template line 1: 'x' is undefined"))
    #expect(
      message(["tokenizer_config.json": #"{"chat_template":[{"name":"rag","template":""}]}"#])
        .hasSuffix(
          " has no chat template called 'default', but rag: choose one by ‘chat template’"))
    #expect(
      message(["tokenizer_config.json": #"{"chat_template":3}"#]).hasSuffix(
        "\"chat_template\" is neither a text nor a list; copy the file again"))
  }

  /// Templates are chosen by name, and what is no name is a file.
  @Test func templatesAreChosenByNameOrFile() throws {
    let configuration = """
      {"chat_template":[{"name":"rag","template":"rag {{ documents[0].t }}"},
       {"name":"default","template":"plain"}]}
      """
    let files = folderFiles([
      "tokenizer_config.json": configuration, "own.jinja": "own {{ messages[0].content }}",
    ])
    try TestFiles.withFolder(files) { folder in
      let tokenizer = try TokenizerLoader.load(directory: folder)
      func text(_ template: String, _ values: String = "{}") throws -> String {
        var settings = try ChatSettings(values: values)
        settings.template = .named(template)
        return try ChatEncoder(directory: folder, tokenizer: tokenizer, settings: settings)
          .encode(Conversation(user: "Hi"), now: .now).text
      }
      #expect(try text("rag", #"{"documents":[{"t":"x"}]}"#) == "rag x")
      #expect(try text("default") == "plain")
      #expect(try text(folder.path + "/own.jinja") == "own Hi")
      #expect(
        throws: SpeculateError(
          "‘chat template’ \"none\" is neither a file nor a template of the model, which has default, "
            + "rag; give one of these")
      ) { try text("none") }
    }
    let additional = try TemporaryFolder()
    for (name, text) in [("default", "plain"), ("tool_use", "tools"), ("rag", "more")] {
      let file = name == "default" ? "chat_template" : "additional_chat_templates/\(name)"
      try FileManager.default.createDirectory(
        at: additional.file("additional_chat_templates"), withIntermediateDirectories: true)
      try additional.write(text.utf8, to: file + ".jinja")
    }
    try additional.write(Data(Self.tokenizer.utf8), to: "tokenizer.json")
    let tokenizer = try TokenizerLoader.load(directory: additional.url)
    for (choice, tools, expected) in [
      (ChatSettings.Template.model, false, "plain"), (.model, true, "tools"),
      (.named("rag"), true, "more"), (.named("default"), true, "plain"),
      (.source("{{ 1 + 1 }}"), true, "2"),
    ] {
      let template = try ChatTemplate(
        directory: additional.url, tokenizer: tokenizer, choice: choice)
      #expect(
        try template.render(
          Conversation(messages: [.user("Hi")], tools: tools ? ["{}"] : []),
          addsGenerationPrompt: true, now: .now) == expected)
    }
  }

  @Test func idsHaveOneBeginTokenAndSpecialTokens() throws {
    try TestFiles.withFolder(
      folderFiles(["chat_template.jinja": "{{ bos_token }}{{ messages[0].content }}<end>"])
    ) { folder in
      let tokenizer = try TokenizerLoader.load(directory: folder)
      let chat = try ChatEncoder(directory: folder, tokenizer: tokenizer).encode(
        Conversation(user: "Hi"), now: .now)
      #expect(chat.text == "<s>Hi<end>")
      #expect(chat.ids == [256, 3, 4, 257])
    }
  }

  @Test func aConversationWithoutTextIsNoPrompt() throws {
    try TestFiles.withFolder(
      folderFiles(["chat_template.jinja": "{% if x %}{% endif %}"])
    ) { folder in
      let encoder = ChatEncoder(
        directory: folder, tokenizer: try TokenizerLoader.load(directory: folder))
      #expect(
        throws: SpeculateError(
          "\(folder.path)/chat_template.jinja: the conversation becomes an empty text; check the "
            + "template")
      ) { _ = try encoder.encode(Conversation(user: "Hi"), now: .now) }
    }
  }

  @Test func theTokenizersEndTokenEndsAnswersToo() throws {
    try TestFiles.withFolder(
      folderFiles(["tokenizer_config.json": #"{"eos_token":"<end>"}"#])
    ) { folder in
      let encoder = ChatEncoder(
        directory: folder, tokenizer: try TokenizerLoader.load(directory: folder))
      #expect(encoder.tokenizer.endTokens(of: [3], inChat: true) == [3, 257])
      #expect(encoder.tokenizer.endTokens(of: [257, 3], inChat: true) == [257, 3])
    }
  }
}
