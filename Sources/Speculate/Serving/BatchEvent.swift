public import Files

/// What a ``BatchStream`` delivers, in this order: the prompt's scores if they were asked for, tokens, the end.
public enum BatchEvent: Sendable, Equatable {
  /// The scores of the prompt's tokens, the first of which has none: [prompt]. Once, before any token.
  case prompt([TokenScores?])
  /// The next token.
  case token(BatchToken)
  /// The end, once.
  case finished(BatchResult)
}

/// A token of an output as it becomes final.
public struct BatchToken: Sendable, Equatable {
  /// The token.
  public var id: Token
  /// Text that is known with it: whole characters, none of a stop string, and often none. Joined, these are
  /// the output's text.
  public var text: String
  /// Where it was drafted; `nil` for the target's own.
  public var origin: DraftOrigin?
  /// How probable the target found it, if that was asked for.
  public var scores: TokenScores?

  /// Makes a token.
  public init(id: Token, text: String, origin: DraftOrigin? = nil, scores: TokenScores? = nil) {
    self.id = id
    self.text = text
    self.origin = origin
    self.scores = scores
  }
}

/// How probable the target found a token, before penalties, temperature and filters.
public struct TokenScores: Sendable, Equatable {
  /// The natural logarithm of the token's probability.
  public var logProbability: Float
  /// The most probable tokens, falling; of equals the lower id comes first.
  public var top: [ScoredToken]

  /// Makes scores.
  public init(logProbability: Float, top: [ScoredToken]) {
    self.logProbability = logProbability
    self.top = top
  }
}

/// A token and how probable the target found it.
public struct ScoredToken: Sendable, Equatable {
  /// The token.
  public var id: Token
  /// The natural logarithm of its probability.
  public var logProbability: Float

  /// Makes a scored token.
  public init(id: Token, logProbability: Float) {
    self.id = id
    self.logProbability = logProbability
  }
}

/// A finished request.
public struct BatchResult: Sendable, Equatable {
  /// What was generated, and what happened. `statistics.acceptedTokens` are drafts that came true, and
  /// `statistics.verifiedTokens` less these are drafts that didn't.
  public var output: GenerationResult
  /// Tokens of the prompt that were not computed, because an earlier prompt began alike.
  public var cachedPromptTokens: Int
  /// When things happened.
  public var timings: BatchTimings

  /// Makes a result.
  public init(output: GenerationResult, cachedPromptTokens: Int, timings: BatchTimings) {
    self.output = output
    self.cachedPromptTokens = cachedPromptTokens
    self.timings = timings
  }
}

/// How long a request took, in seconds since it was submitted.
public struct BatchTimings: Sendable, Equatable {
  /// Until its first round.
  public var queue: Double
  /// Until its first token; `nil` without one.
  public var firstToken: Double?
  /// Until its end.
  public var total: Double

  /// Makes timings.
  public init(queue: Double = 0, firstToken: Double? = nil, total: Double = 0) {
    self.queue = queue
    self.firstToken = firstToken
    self.total = total
  }
}
