public import Files

/// A finished generation.
public struct GenerationResult: Sendable, Equatable {
  /// The prompt's ids, special tokens included.
  public var prompt: [Token]
  /// The generated ids: an end token included, and the tokens that completed a stop string.
  public var tokens: [Token]
  /// The generated text, without end token and stop string.
  public var text: String
  /// Why generation ended.
  public var finishReason: FinishReason
  /// What happened. Tokens of the last block behind a stop string count as never emitted.
  public var statistics: GenerationStatistics
  /// What this generation showed that the user should know, such as a drafter that helps nothing. Each is told
  /// once.
  public var notices: [Notice] = []
}

/// What a stream of a generation delivers.
public enum GenerationEvent: Sendable, Equatable {
  /// More text, whole characters.
  case text(String)
  /// The end, once.
  case finished(GenerationResult)
}
