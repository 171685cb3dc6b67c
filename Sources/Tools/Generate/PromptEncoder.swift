import Foundation
import Speculate
import Tensors
import Verifier

/// Makes tokens of prompts and chats.
struct PromptEncoder {
  private let generator: TextGenerator
  private let chats: ChatEncoder
  private let isChat: Bool
  private let system: String?
  private let now = Date()

  /// An encoder for a generator's target.
  ///
  /// - Parameters:
  ///   - target: The target's folder, which holds the chat template.
  ///   - isChat: Whether texts are what a user says.
  ///   - system: The system message of chats that have none of their own.
  init(_ generator: TextGenerator, target: URL, isChat: Bool = false, system: String? = nil) {
    self.generator = generator
    chats = ChatEncoder(directory: target, tokenizer: generator.tokenizer)
    self.isChat = isChat
    self.system = system
  }

  /// The prompts as the target takes them.
  ///
  /// - Throws: `SpeculateError` naming the place of a prompt that leaves no room to generate, or
  ///   that the chat template refuses.
  func encode(_ prompts: [PromptSource.Prompt]) throws -> [EncodedPrompt] {
    try prompts.map { prompt in
      let (text, ids) = try textAndTokens(of: prompt)
      let context = generator.model.configuration.maximumContext
      guard ids.count < context else {
        throw SpeculateError(
          "\(prompt.place) has \(Figures.count(ids.count)) tokens, but the target's context holds "
            + "\(Figures.count(context)) and one has to be left to generate; shorten it")
      }
      return EncodedPrompt(place: prompt.place, text: text, ids: ids)
    }
  }

  /// The parameters with which prompts are decoded: where one is a chat, the end of a turn ends the
  /// output too.
  func parameters(
    _ parameters: GenerationParameters, for prompts: [PromptSource.Prompt]
  ) -> GenerationParameters {
    guard prompts.contains(where: becomesChat) else { return parameters }
    var parameters = parameters
    parameters.endTokens = chats.endTokens(of: generator.model.configuration.endTokens)
    return parameters
  }

  private func becomesChat(_ prompt: PromptSource.Prompt) -> Bool {
    if case .text = prompt.content { isChat } else { true }
  }

  private func textAndTokens(
    of prompt: PromptSource.Prompt
  ) throws -> (text: String, ids: [Token]) {
    var conversation: Conversation
    switch prompt.content {
    case .text(let text):
      guard isChat else { return (text, try generator.encode(text)) }
      conversation = try Conversation(user: text)
    case .chat(let own): conversation = own
    }
    if let system { conversation = try conversation.withSystem(system) }
    do {
      return try chats.encode(conversation, now: now)
    } catch let error as SpeculateError {
      throw SpeculateError("\(prompt.place) is a chat: \(error.description)")
    }
  }
}
