import Files
package import Foundation

/// How a model wants conversations written: the chat template of its folder, in the part of the
/// Jinja language that published templates use.
///
/// The text is what Python's transformers renders with the same template. Statements that
/// templates don't need (`block`, `call`, `import`, …) are refused.
package struct ChatTemplate: Sendable {
  /// What error messages call the template, most often its path.
  package let name: String
  private let statements: [TemplateStatement]
  /// For conversations with tools, where the folder has a template of its own for them.
  private var toolStatements: [TemplateStatement]?
  /// `bos_token`, `eos_token` and the like by name.
  private let specialTokens: [String: String]

  /// Reads a template.
  ///
  /// - Parameters:
  ///   - source: The template.
  ///   - name: What error messages call it.
  ///   - specialTokens: The spellings of `bos_token`, `eos_token` and the like.
  /// - Throws: `SpeculateError` naming the line where it can't be understood.
  package init(source: String, name: String, specialTokens: [String: String] = [:]) throws {
    self.name = name
    self.specialTokens = specialTokens
    statements = try Self.statements(source, name)
  }

  private static func statements(_ source: String, _ name: String) throws -> [TemplateStatement] {
    do {
      return try TemplateParser.statements(source)
    } catch let problem as TemplateProblem {
      throw problem.error(in: name)
    }
  }

  /// Reads a template for a model whose special tokens its tokenizer spells.
  ///
  /// - Throws: `SpeculateError` naming the line where it can't be understood.
  init(source: String, name: String, tokenizer: any Tokenizer) throws {
    let tokens = Self.specialTokens(of: tokenizer)
    try self.init(source: source, name: name, specialTokens: tokens)
  }

  private static func specialTokens(of tokenizer: any Tokenizer) -> [String: String] {
    var tokens: [String: String] = [:]
    tokens["bos_token"] = tokenizer.beginToken.flatMap(tokenizer.piece)
    tokens["eos_token"] = tokenizer.endTokens.first.flatMap(tokenizer.piece)
    return tokens
  }

  /// The template of a model's folder: `chat_template.jinja`, or else `chat_template` in
  /// `tokenizer_config.json`, which is one template or a list of them by name. For tools there may be
  /// `additional_chat_templates/tool_use.jinja`. Of a GGUF file it is that of the metadata.
  ///
  /// - Parameter tokenizer: Knows the begin and end tokens where no file spells them.
  /// - Throws: `SpeculateError` when there is none, or it is damaged or not supported.
  package init(directory: URL, tokenizer: any Tokenizer) throws {
    if GGUFFile.isMeant(by: directory) {
      let file = try GGUFFile(url: directory)
      guard let source = file.metadata[GGUFTemplates.key]?.text else {
        throw SpeculateError(
          "\(directory.path) has no chat template, no \"tokenizer.chat_template\" in its metadata; "
            + "give an instruction model, or prompts that are no chats")
      }
      try self.init(
        source: source, name: "\(directory.path): tokenizer.chat_template", tokenizer: tokenizer)
      let toolKey = GGUFTemplates.key(named: GGUFTemplates.toolUse)
      toolStatements = try file.metadata[toolKey]?.text.map {
        try Self.statements($0, "\(directory.path): \(toolKey)")
      }
      return
    }
    let files = try ChatTemplateFiles(directory: directory)
    guard let source = files.source else {
      throw SpeculateError(
        "\(directory.path) has no chat template, neither chat_template.jinja nor a "
          + "\"chat_template\" in tokenizer_config.json; give an instruction model's folder, or "
          + "prompts that are no chats")
    }
    // Where no file says anything, not even null, the tokenizer does.
    let others = Self.specialTokens(of: tokenizer).filter { !files.named.contains($0.key) }
    try self.init(
      source: source.text, name: source.name,
      specialTokens: files.specialTokens.merging(others) { $1 })
    toolStatements = try files.toolSource.map { try Self.statements($0.text, $0.name) }
  }

  /// The text of a conversation.
  ///
  /// Content in parts goes to templates that look into parts; others see the texts of the parts.
  ///
  /// - Parameters:
  ///   - addsGenerationPrompt: Whether to write what stands in front of the assistant's answer.
  ///   - continuesAnswer: Whether the text ends with that of the assistant's message at the end, for
  ///     the model to go on there. Then there is no generation prompt.
  ///   - now: The time, for templates that write the date.
  /// - Throws: `SpeculateError` naming the template's line when it refuses the conversation.
  package func render(
    _ conversation: Conversation, addsGenerationPrompt: Bool, continuesAnswer: Bool = false,
    now: Date
  ) throws -> String {
    do {
      var conversation = conversation
      if conversation.hasParts, !takesParts(of: conversation, now: now) {
        conversation = try conversation.joiningParts()
      }
      let text = try evaluate(
        conversation, addsGenerationPrompt: addsGenerationPrompt && !continuesAnswer, now: now)
      return continuesAnswer ? try upToAnswer(of: conversation, text) : text
    } catch let problem as TemplateProblem {
      throw problem.error(in: name)
    }
  }

  private func evaluate(
    _ conversation: Conversation, addsGenerationPrompt: Bool, now: Date
  ) throws -> String {
    var variables = specialTokens.mapValues { TemplateValue.string($0) }
    variables.merge(conversation.options) { $1 }
    variables["tools"] = conversation.tools
    variables["documents"] = .null
    variables["add_generation_prompt"] = .bool(addsGenerationPrompt)
    variables["messages"] = try .list(of: conversation.messages.map { .mapping($0.fields) })
    let statements = conversation.tools.isNull ? statements : toolStatements ?? statements
    return try TemplateEvaluator.render(statements, variables: variables, now: now)
  }

  /// Whether the template writes the texts of parts, and neither drops them nor prints lists.
  private func takesParts(of conversation: Conversation, now: Date) -> Bool {
    guard let (marked, marks) = try? conversation.markingParts(),
      let text = try? evaluate(marked, addsGenerationPrompt: false, now: now)
    else { return false }
    return marks.allSatisfy { mark in
      text.contains(mark) && !text.contains("'\(mark)'") && !text.contains("\"\(mark)\"")
    }
  }

  /// A rendered text without what stands behind the last message's, as transformers'
  /// `continue_final_message` cuts it: blanks around the message may be gone.
  private func upToAnswer(of conversation: Conversation, _ text: String) throws -> String {
    guard let answer = conversation.unfinishedAnswer else {
      throw SpeculateError(
        "the last message has no text of the assistant's to go on from; give one, or ask for an answer"
      )
    }
    let bare = Array(PythonText.stripped(answer).utf8)
    let bytes = Array(text.utf8)
    // Backwards, the last place is the first.
    guard
      let place = bare.isEmpty
        ? nil : PythonText.places(of: bare.reversed(), in: bytes.reversed(), limit: 1).first
    else {
      throw SpeculateError(
        "\(name): the template doesn't write the assistant's message as it is, so that an answer "
          + "can't go on from it; ask for an answer instead")
    }
    let start = bytes.count - place.upperBound
    let whole = Array(PythonText.stripped(answer, right: false).utf8)
    let count = bytes[start...].starts(with: whole) ? whole.count : bare.count
    return String(decoding: bytes[..<(start + count)], as: UTF8.self)
  }
}
