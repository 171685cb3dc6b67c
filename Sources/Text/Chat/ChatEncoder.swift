package import Files
package import Foundation

/// Turns conversations into a model's tokens.
///
/// A model without a usable chat template is no mistake until a conversation comes.
package struct ChatEncoder: Sendable {
  package let tokenizer: any Tokenizer
  /// A time for chat templates where a command has to give the same prompts on any day: 1 January
  /// 2026.
  package static let fixedTime = Date(timeIntervalSince1970: 1_767_261_600)
  /// Whether the spelling of a special token in a prompt or a chat becomes that token.
  package var parsesSpecial: Bool { settings.parsesSpecial }
  private let template: Result<ChatTemplate, any Error>
  /// The texts of the chat template; nil without one that can be used.
  package var sources: (usual: String, forTools: String?)? { try? template.get().sources }
  private let settings: ChatSettings
  private let marks: ControlMarks?

  /// Opens the chat template of a model's folder, or another that the settings name.
  package init(
    directory: URL, tokenizer: any Tokenizer, settings: ChatSettings = ChatSettings()
  ) {
    self.tokenizer = tokenizer
    self.settings = settings
    template = Result {
      try ChatTemplate(directory: directory, tokenizer: tokenizer, choice: settings.template)
    }
    marks = settings.parsesSpecial ? nil : ControlMarks(tokenizer)
  }

  /// What messages call the template.
  ///
  /// - Throws: `SpeculateError` when the model has none that can be used.
  func templateName() throws -> String { try template.get().name }

  /// The text of a conversation and its ids.
  ///
  /// Special tokens are those that the template writes, so none is added. A special token's
  /// spelling in a message becomes that token too, as in transformers, unless the settings say otherwise.
  ///
  /// - Parameters:
  ///   - addsGenerationPrompt: Whether to write what stands in front of the assistant's answer.
  ///   - continuesAnswer: Whether the text ends with that of the assistant's message at the end, for the
  ///     model to go on there.
  ///   - now: The time, for templates that write the date.
  /// - Throws: `SpeculateError` when the model has no chat template, or when the template can't be
  ///   understood or refuses the conversation.
  package func encode(
    _ conversation: Conversation, addsGenerationPrompt: Bool = true, continuesAnswer: Bool = false,
    now: Date
  ) throws -> (text: String, ids: [Token]) {
    let template = try template.get()
    var conversation = conversation.with(settings)
    if let marks { conversation = try conversation.mappingTexts(marks.marking) }
    let text = try template.render(
      conversation, addsGenerationPrompt: addsGenerationPrompt, continuesAnswer: continuesAnswer,
      now: now)
    let ids =
      try marks?.encode(text, template.name)
      ?? tokenizer.encode(text, addSpecial: false, parseSpecial: true)
    guard !ids.isEmpty else {
      throw SpeculateError(
        "\(template.name): the conversation becomes an empty text; check the template")
    }
    return (marks?.unmarked(text) ?? text, ids)
  }
}
