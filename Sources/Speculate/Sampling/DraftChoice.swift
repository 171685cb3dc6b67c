/// How a drafter's logits become draft tokens. The output is the same either way; how many drafts
/// match is not.
public enum DraftChoice: String, Sendable, Equatable, Codable, CaseIterable {
  /// The drafter's most probable token: the better choice at low temperature.
  case argmax
  /// The drafter's own sample under the noise that the target will use at that position, so that
  /// both fall on the same token with probability at least `(1 − TV)/(1 + TV)` (arXiv 2408.07978).
  case coupled

  /// Up to this temperature argmax drafts are expected to match more often than coupled ones.
  private static let argmaxTemperature: Float = 0.6

  /// The choice that is expected to match more often.
  public static func automatic(_ sampling: SamplingParameters) -> DraftChoice {
    sampling.temperature <= argmaxTemperature ? .argmax : .coupled
  }
}
