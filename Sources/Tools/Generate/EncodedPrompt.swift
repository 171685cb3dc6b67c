import Speculate
import Tensors
import Verifier

/// A prompt as the target takes it. All prompts are encoded and checked before the first one runs.
struct EncodedPrompt {
  /// The text, and where it stands.
  let prompt: PromptSource.Prompt
  /// Its ids, special tokens included.
  let ids: [Token]

  /// - Throws: `SpeculateError` naming the prompt's place when it leaves no room to generate.
  init(_ prompt: PromptSource.Prompt, for generator: TextGenerator) throws {
    self.prompt = prompt
    ids = try generator.encode(prompt.text)
    let context = generator.model.configuration.maximumContext
    guard ids.count < context else {
      throw SpeculateError(
        "\(prompt.place) has \(Figures.count(ids.count)) tokens, but the target's context holds "
          + "\(Figures.count(context)) and one has to be left to generate; shorten it")
    }
  }
}
