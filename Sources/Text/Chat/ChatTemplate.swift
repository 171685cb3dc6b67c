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
  /// `tokenizer_config.json`, which is one template or a list of them by name; of a GGUF file, that of
  /// its metadata.
  ///
  /// - Parameter tokenizer: Knows the begin and end tokens where no file spells them.
  /// - Throws: `SpeculateError` when there is none, or it is damaged or not supported.
  package init(directory: URL, tokenizer: any Tokenizer) throws {
    if GGUFFile.isMeant(by: directory) {
      let file = try GGUFFile(url: directory)
      guard let source = file.metadata["tokenizer.chat_template"]?.text else {
        throw SpeculateError(
          "\(directory.path) has no chat template, no \"tokenizer.chat_template\" in its metadata; "
            + "give an instruction model, or prompts that are no chats")
      }
      try self.init(
        source: source, name: "\(directory.path): tokenizer.chat_template", tokenizer: tokenizer)
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
  /// - Parameters:
  ///   - addsGenerationPrompt: Whether to write what stands in front of the assistant's answer.
  ///   - now: The time, for templates that write the date.
  /// - Throws: `SpeculateError` naming the template's line when it refuses the conversation.
  package func render(
    _ conversation: Conversation, addsGenerationPrompt: Bool, now: Date
  ) throws -> String {
    var variables = specialTokens.mapValues { TemplateValue.string($0) }
    variables.merge(conversation.options) { $1 }
    variables["tools"] = conversation.tools
    variables["documents"] = .null
    variables["add_generation_prompt"] = .bool(addsGenerationPrompt)
    let statements = conversation.tools.isNull ? statements : toolStatements ?? statements
    do {
      variables["messages"] = try .list(of: conversation.messages.map { .mapping($0.fields) })
      return try TemplateEvaluator.render(statements, variables: variables, now: now)
    } catch let problem as TemplateProblem {
      throw problem.error(in: name)
    }
  }
}
