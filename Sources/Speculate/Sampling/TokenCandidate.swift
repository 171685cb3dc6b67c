public import Files

/// A token that a model considered, and how probable it found it.
public struct TokenCandidate: Sendable, Equatable {
  /// The token.
  public var token: Token
  /// Its probability, 0 to 1.
  public var probability: Float

  /// Makes a candidate.
  public init(token: Token, probability: Float) {
    self.token = token
    self.probability = probability
  }
}
