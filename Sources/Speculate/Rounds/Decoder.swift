public import Files

/// Generates one sequence: a `Sequence` of committed tokens, each final when it is handed out.
///
/// Every decoder, whatever it drafts and verifies, hands out the tokens of plain decoding of the
/// same target, prompt and parameters. A decoder works in rounds, and only when asked for a token
/// that it does not have yet.
public protocol Decoder: AnyObject, Sequence, IteratorProtocol where Element == Token {
  /// What happened so far. Complete once ``finishReason`` is set.
  var statistics: GenerationStatistics { get }

  /// Why generation ended; `nil` while it goes on. It may be set before the last tokens have been
  /// handed out.
  var finishReason: FinishReason? { get }

  /// Who is told every round; set before the first token is asked for.
  var observer: (any RoundObserver)? { get set }

  /// Ends generation before the next round; committed tokens are still handed out.
  func finish(_ reason: FinishReason)
}
