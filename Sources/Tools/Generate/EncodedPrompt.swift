import Files

/// A prompt as the target takes it. All prompts are encoded and checked before the first one runs.
struct EncodedPrompt {
  /// Where it stands, for messages.
  let place: String
  /// Its text; of a chat what the template made of it.
  let text: String
  /// Its ids, special tokens included.
  let ids: [Token]
}
