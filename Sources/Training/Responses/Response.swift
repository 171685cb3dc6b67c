public import Tensors

/// A prompt and what the target made of it.
public struct Response: Sendable, Equatable {
  /// The prompt's tokens, then the target's, an end token included.
  public var tokens: [Token]
  /// How many are the prompt's.
  public var promptLength: Int

  /// A response of the given tokens.
  public init(tokens: [Token], promptLength: Int) {
    self.tokens = tokens
    self.promptLength = promptLength
  }

  /// The target's own tokens.
  public var continuation: ArraySlice<Token> { tokens[promptLength...] }
}
