public import Tensors

/// A prompt and what the target made of it.
public struct Response: Sendable, Equatable {
  /// The prompt's tokens, then the target's, an end token included.
  public var tokens: [Token]
  /// How many are the prompt's; only those after it are to be learnt.
  public var promptLength: Int
  /// The number of the document that the prompt is from, in the order of its file.
  public var document: Int

  /// A response of the given tokens.
  public init(tokens: [Token], promptLength: Int, document: Int = 0) {
    self.tokens = tokens
    self.promptLength = promptLength
    self.document = document
  }

  /// The target's own tokens.
  public var continuation: ArraySlice<Token> { tokens[promptLength...] }
}
