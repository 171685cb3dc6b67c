/// How tokens are produced. Every mode gives the same output, unless ``GenerationParameters/verification`` says that the
/// distribution is enough.
public enum DecodingMode: Sendable, Equatable {
  /// Token by token.
  case plain
  /// With drafts: those of the drafter, if there is one, and those that cost no pass.
  ///
  /// - `drafts`: drafts of a round; `nil` chooses each round by expected speed.
  /// - `choice`: how drafts are chosen; `nil` chooses by the temperature.
  /// - `free`: which drafts are tried that cost no pass; `nil` looks the end of the text up in
  ///   earlier text, except beside a drafter with a number of `drafts`. With none of them and no
  ///   drafter decoding is plain.
  /// - `branches`: at how many tokens beside its first choice a block drafter looks at each place, each of
  ///   which it follows as far as it pays; `nil` is 2, or none with a number of `drafts`, which are a
  ///   chain.
  /// - `denoising`: how a block drafter denoises its blocks; `nil` is in one pass.
  case speculative(
    drafts: Int? = nil, choice: DraftChoice? = nil, free: FreeDraftOptions? = nil,
    branches: Int? = nil, denoising: Denoising? = nil)
  /// By Jacobi iteration of the target on its own guesses, without a drafter.
  case jacobi(JacobiOptions = JacobiOptions())
}
