/// Why a generation ended.
public enum FinishReason: String, Sendable, Equatable, Codable {
  /// The target chose an end token, which is the last of the output's ids.
  case endToken = "end"
  /// The text reached a stop string, which is not part of the output's text.
  case stopString = "stop"
  /// The token limit or the end of the context was reached.
  case length
  /// The caller asked to stop.
  case cancelled
}
