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
  private let template: Result<ChatTemplate, any Error>

  /// Opens the chat template of a model's folder.
  package init(directory: URL, tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    template = Result { try ChatTemplate(directory: directory, tokenizer: tokenizer) }
  }

  /// Uses a template instead of one of a folder.
  ///
  /// - Parameter source: The template, in the Jinja language.
  package init(template source: String, tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    template = Result {
      try ChatTemplate(source: source, name: "the chat template", tokenizer: tokenizer)
    }
  }

  /// The text of a conversation and its ids.
  ///
  /// Special tokens are those that the template writes, so none is added. A special token's
  /// spelling in a message becomes that token too, as in transformers.
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
    let text = try template.render(
      conversation, addsGenerationPrompt: addsGenerationPrompt, continuesAnswer: continuesAnswer,
      now: now)
    let ids = try tokenizer.encode(text, addSpecial: false, parseSpecial: true)
    guard !ids.isEmpty else {
      throw SpeculateError(
        "\(template.name): the conversation becomes an empty text; check the template")
    }
    return (text, ids)
  }
}
