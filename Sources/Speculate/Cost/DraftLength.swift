/// How many drafts a round proposes and verifies. It decides speed, never the output.
package enum DraftLength: Sendable, Equatable {
  /// Always as many as this, as far as the limits of the output allow.
  case fixed(Int)
  /// As many as are expected to pay.
  case adaptive(AdaptiveDraftLength)
}
