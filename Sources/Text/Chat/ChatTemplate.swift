import Files
package import Foundation

/// How a model wants conversations written: its chat template, in the Jinja language.
///
/// The text is what Python's transformers renders with the same template. Statements that need other
/// templates (`include`, `import`, `extends`, `block`) are refused.
package struct ChatTemplate: Sendable {
  /// What error messages call the template, most often its path.
  package let name: String
  /// The template's text, and that of the template for tools where the folder has one of its own for them.
  package private(set) var sources: (usual: String, forTools: String?)
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
    sources = (source, nil)
    statements = try Self.statements(source, name)
  }

  private static func statements(_ source: String, _ name: String) throws -> [TemplateStatement] {
    do {
      return try TemplateParser.statements(source)
    } catch let problem as TemplateProblem {
      throw problem.error(in: name)
    }
  }

  private static func specialTokens(of tokenizer: any Tokenizer) -> [String: String] {
    var tokens: [String: String] = [:]
    tokens["bos_token"] = tokenizer.beginToken.flatMap(tokenizer.piece)
    tokens["eos_token"] = tokenizer.endTokens.first.flatMap(tokenizer.piece)
    return tokens
  }

  /// The template of a model's folder or GGUF file, or another.
  ///
  /// - Parameters:
  ///   - tokenizer: Knows the begin and end tokens where no file spells them.
  ///   - choice: Which template.
  /// - Throws: `SpeculateError` when there is none, or it is damaged or not supported.
  package init(
    directory: URL, tokenizer: any Tokenizer, choice: ChatSettings.Template = .model
  ) throws {
    let files =
      GGUFFile.isMeant(by: directory)
      ? ChatTemplateFiles(try GGUFFile(url: directory))
      : try ChatTemplateFiles(directory: directory)
    let source = try files.chosen(choice)
    // Where no file says anything, not even null, the tokenizer does.
    let others = Self.specialTokens(of: tokenizer).filter { !files.named.contains($0.key) }
    try self.init(
      source: source.usual.text, name: source.usual.name,
      specialTokens: files.specialTokens.merging(others) { $1 })
    sources.forTools = source.forTools?.text
    toolStatements = try source.forTools.map { try Self.statements($0.text, $0.name) }
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
      return continuesAnswer
        ? try upToAnswer(of: conversation, now: now)
        : try evaluate(conversation, addsGenerationPrompt: addsGenerationPrompt, now: now)
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
    if variables["documents"] == nil { variables["documents"] = .null }
    let asked = addsGenerationPrompt ? conversation.options[ChatSettings.addsPrompt]?.boolean : nil
    variables[ChatSettings.addsPrompt] = .bool(asked ?? addsGenerationPrompt)
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

  /// The text without what stands behind the last message's, as transformers' `continue_final_message` cuts
  /// it: at a mark behind the message. Blanks around the message may be gone.
  private func upToAnswer(of conversation: Conversation, now: Date) throws -> String {
    let mark = "ContinuedAnswerEndsHere"
    guard let answer = conversation.unfinishedAnswer else {
      throw SpeculateError(
        "the last message has no text of the assistant's to go on from; give one, or ask for an answer"
      )
    }
    let text = try evaluate(
      conversation.extendingAnswer(by: mark + " "), addsGenerationPrompt: false, now: now)
    let bytes = Array(text.utf8)
    // Backwards, the last place is the first.
    guard PythonText.contains(text, PythonText.stripped(answer)),
      let place = PythonText.places(
        of: Array(mark.utf8).reversed(), in: bytes.reversed(), limit: 1
      ).first
    else {
      throw SpeculateError(
        "\(name): the template doesn't write the assistant's message as it is, so that an answer "
          + "can't go on from it; ask for an answer instead")
    }
    let before = String(decoding: bytes[..<(bytes.count - place.upperBound)], as: UTF8.self)
    let keepsBlanks = bytes[(bytes.count - place.lowerBound)...].first == UInt8(ascii: " ")
    return keepsBlanks ? before : PythonText.stripped(before, left: false)
  }
}
