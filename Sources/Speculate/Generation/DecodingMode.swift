/// How tokens are produced. Every mode gives the same output.
public enum DecodingMode: Sendable, Equatable {
  /// Token by token.
  case plain
  /// With the drafter, if there is one, else plain.
  ///
  /// - `drafts`: drafts of a block; `nil` chooses each round by expected speed.
  /// - `choice`: how drafts are chosen; `nil` chooses by the temperature.
  case speculative(drafts: Int? = nil, choice: DraftChoice? = nil)
}
