package import Files
import Foundation
package import Tensors
package import Text
package import Verifier

/// A target as text needs it: weights, tokenizer and chat template, and the drafter that helps it.
///
/// All of it is immutable and shared; generators hold what a generation needs beside it.
package struct TextModel: Sendable {
  package let model: CausalModel
  package let tokenizer: any Tokenizer
  package let drafter: DrafterModel?
  /// The tokens by their bytes, for outputs that are held to a grammar.
  package let vocabulary: ConstraintVocabulary
  /// Writes conversations; without it there is no chat.
  private let chats: ChatEncoder?

  /// Takes loaded parts.
  package init(
    model: CausalModel, tokenizer: any Tokenizer, chats: ChatEncoder? = nil,
    drafter: DrafterModel? = nil
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.chats = chats
    self.drafter = drafter
    vocabulary = ConstraintVocabulary(tokenizer)
  }

  /// Loads folders, or GGUF files.
  ///
  /// - Throws: ``SpeculateError`` if one cannot be used, or the tokenizers differ.
  package init(
    target: URL, drafter: URL?, weights: WeightFormatChoice, drafterWeights: WeightFormat?,
    drafterPasses: Int?, chat: ChatSettings
  ) throws {
    let tokenizer = try TokenizerLoader.load(directory: target)
    self.init(
      model: try CausalModel(directory: target, weights: weights), tokenizer: tokenizer,
      chats: ChatEncoder(directory: target, tokenizer: tokenizer, settings: chat),
      drafter: try drafter.map {
        try DrafterModel(
          directory: $0, format: drafterWeights, passes: drafterPasses, tokenizer: tokenizer)
      })
  }

  /// What loading found that the user should know.
  package var notices: [Notice] { model.notices + (drafter?.notices ?? []) }

  /// The ids of a prompt, as the model's files prescribe them.
  ///
  /// - Parameter parsesSpecial: Whether spellings of special tokens become those tokens; `nil` for as the
  ///   chat settings say.
  /// - Throws: ``SpeculateError`` if the prompt is empty, or can't be cut.
  package func encode(_ prompt: String, parsesSpecial: Bool? = nil) throws -> [Token] {
    guard !prompt.isEmpty else {
      throw SpeculateError("the prompt is empty: give at least one character")
    }
    return try tokenizer.encode(
      prompt, addSpecial: true, parseSpecial: parsesSpecial ?? chats?.parsesSpecial ?? true)
  }

  /// The text and the ids of a conversation.
  ///
  /// - Parameters:
  ///   - addsGenerationPrompt: Whether to write what stands in front of the assistant's answer.
  ///   - continuesAnswer: Whether they end with the assistant's last message, to go on from it.
  ///   - now: For templates that write the date.
  /// - Throws: ``SpeculateError`` if there is no chat template, or it refuses the conversation.
  package func encode(
    _ conversation: Conversation, addsGenerationPrompt: Bool = true, continuesAnswer: Bool = false,
    now: Date
  ) throws -> (text: String, ids: [Token]) {
    guard let chats else {
      throw SpeculateError("this generator has no chat template: make it of a model's folder")
    }
    return try chats.encode(
      conversation, addsGenerationPrompt: addsGenerationPrompt, continuesAnswer: continuesAnswer,
      now: now)
  }

  /// Parameters for an answer in a chat, which the end of a turn ends as well.
  package func answering(_ parameters: GenerationParameters) -> GenerationParameters {
    chats == nil ? parameters : ending(parameters, inChat: true)
  }

  /// Parameters with the model's end tokens, unless they name others.
  package func ending(
    _ parameters: GenerationParameters, inChat: Bool = false
  ) -> GenerationParameters {
    var parameters = parameters
    parameters.endTokens =
      parameters.endTokens
      ?? tokenizer.endTokens(of: model.configuration.endTokens, inChat: inChat)
    return parameters
  }
}
