public import Files

/// When a generation ends, and how its tokens are chosen.
public struct GenerationParameters: Sendable, Equatable {
  /// How the target's logits become tokens.
  public var sampling: SamplingParameters
  /// The most tokens to generate; the end of the context may come earlier.
  public var maximumTokens: Int
  /// Texts that end the output, which stops right before the first that appears.
  public var stopStrings: [String]
  /// Tokens that end the output, instead of the model's own; `nil` takes the model's.
  public var endTokens: [Token]?
  /// Whether end tokens are treated like any other, so that only the limits end the output.
  public var ignoresEnd: Bool
  /// What the output is held to; `nil` for nothing.
  public var constraint: Constraint?
  /// How drafts become tokens.
  public var verification: Verification

  /// Makes parameters without checking them; decoders call ``validated()``.
  public init(
    sampling: SamplingParameters = .greedy, maximumTokens: Int = 256,
    stopStrings: [String] = [], endTokens: [Token]? = nil, ignoresEnd: Bool = false,
    constraint: Constraint? = nil, verification: Verification = .match
  ) {
    self.sampling = sampling
    self.maximumTokens = maximumTokens
    self.stopStrings = stopStrings
    self.endTokens = endTokens
    self.ignoresEnd = ignoresEnd
    self.constraint = constraint
    self.verification = verification
  }

  /// The same value, once every field was found in its range.
  ///
  /// - Throws: ``SpeculateError`` naming the field and its range.
  @discardableResult
  public func validated() throws -> GenerationParameters {
    try sampling.validated()
    guard maximumTokens >= 1 else {
      throw SpeculateError("max tokens \(maximumTokens) is out of range: use 1 or more")
    }
    guard constraint == nil || !ignoresEnd else {
      throw SpeculateError(
        "ignore end can't be with a constraint, whose outputs end where it says: leave one out")
    }
    guard !stopStrings.contains("") else {
      throw SpeculateError("a stop string is empty: give at least one character")
    }
    return self
  }

  /// The tokens that end this generation of a model with the given end tokens.
  package func endTokens(of model: [Token]) -> [Token] { ignoresEnd ? [] : endTokens ?? model }
}

/// Why a generation ended.
public enum FinishReason: String, Sendable, Equatable, Codable {
  /// The target chose an end token, which is the last of the output's ids.
  case endToken = "end"
  /// The text reached a stop string, which is not part of the output's text.
  case stopString = "stop"
  /// The token limit was reached.
  case length
  /// The context is full, before the token limit.
  case context
  /// The caller asked to stop.
  case cancelled
}
