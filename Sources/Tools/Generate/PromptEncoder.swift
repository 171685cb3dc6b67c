import Files
import Foundation
import Speculate
import Text
import Verifier

/// Makes tokens of prompts and chats.
struct PromptEncoder {
  private let generator: TextGenerator
  private let isChat: Bool
  private let system: String?
  private let now: Date

  /// An encoder for a generator's target.
  ///
  /// - Parameters:
  ///   - isChat: Whether texts are what a user says.
  ///   - system: The system message of chats that have none of their own.
  ///   - now: The time that chat templates are told.
  init(
    _ generator: TextGenerator, isChat: Bool = false, system: String? = nil, now: Date = Date()
  ) {
    self.generator = generator
    self.isChat = isChat
    self.system = system
    self.now = now
  }

  /// The prompts as the target takes them.
  ///
  /// - Throws: `SpeculateError` naming the place of a prompt that leaves no room to generate, or
  ///   that the chat template refuses.
  func encode(_ prompts: [PromptInput.Prompt]) throws -> [EncodedPrompt] {
    try prompts.map { prompt in
      let encoded = try encode(prompt)
      let (count, context) = (encoded.ids.count, generator.model.configuration.maximumContext)
      guard count < context else {
        throw SpeculateError(
          "\(prompt.place) has \(Figures.count(count)) tokens, but the target's context holds "
            + "\(Figures.count(context)) and one has to be left to generate; shorten it")
      }
      return encoded
    }
  }

  /// The parameters with which prompts are decoded: where one is a chat, the end of a turn ends the
  /// output too.
  func parameters(
    _ parameters: GenerationParameters, for prompts: [PromptInput.Prompt]
  ) -> GenerationParameters {
    prompts.contains(where: becomesChat) ? generator.answering(parameters) : parameters
  }

  /// Whether the chat template writes a prompt.
  func becomesChat(_ prompt: PromptInput.Prompt) -> Bool {
    if case .text = prompt.content { isChat } else { true }
  }

  /// A prompt as the target takes it, however long.
  ///
  /// - Throws: `SpeculateError` naming the place of a chat that the template refuses.
  func encode(_ prompt: PromptInput.Prompt) throws -> EncodedPrompt {
    var conversation: Conversation
    switch prompt.content {
    case .text(let text):
      guard isChat else {
        return EncodedPrompt(
          place: prompt.place, said: text, text: text, ids: try generator.encode(text))
      }
      conversation = Conversation(user: text)
    case .chat(let own): conversation = own
    }
    if let system { conversation = conversation.withSystem(system) }
    do {
      let (text, ids) = try generator.encode(
        conversation, continuesAnswer: conversation.unfinishedAnswer != nil, now: now)
      let said = conversation.texts.last ?? text
      return EncodedPrompt(place: prompt.place, said: said, text: text, ids: ids)
    } catch let error as SpeculateError {
      throw SpeculateError("\(prompt.place) is a chat: \(error.description)")
    }
  }
}

/// A prompt as the target takes it. All prompts are encoded and checked before the first one runs.
struct EncodedPrompt {
  let place: String
  /// What was asked: its text, or the last message of a chat.
  let said: String
  /// Its text; of a chat what the template made of it.
  let text: String
  let ids: [Token]
}
