import Speculate

/// Plain decoding and another way of it, in turn on the same prompts.
struct AlternatingDecoder {
  let generator: TextGenerator
  let parameters: GenerationParameters
  /// The way beside plain decoding.
  let mode: DecodingMode

  /// What to say when both ways don't give the same ids.
  static let fault =
    "plain and speculative outputs differ, which is a fault of this program; please report it"

  /// A few tokens of each kind, so that no measured run meets cold memory or unmeasured pass times.
  func warmUp(_ prompt: EncodedPrompt) throws {
    var short = parameters
    short.maximumTokens = min(16, short.maximumTokens)
    for mode in [.plain, mode] { _ = try outcome(prompt, short, mode) }
  }

  /// Adds a plain and a speculative run of a prompt.
  ///
  /// - Parameter number: Who goes first changes with it, so that neither always profits from the
  ///   other.
  /// - Returns: Whether both runs are complete; after Ctrl-C nothing is added.
  func run(_ prompt: EncodedPrompt, number: Int, into runs: inout PromptComparison) throws -> Bool {
    let modes: [DecodingMode] = number % 2 == 0 ? [.plain, mode] : [mode, .plain]
    let outcomes = try modes.map { try outcome(prompt, parameters, $0) }
    if Interruption.requested { return false }
    let plainFirst = number % 2 == 0
    runs.add(plain: outcomes[plainFirst ? 0 : 1], speculative: outcomes[plainFirst ? 1 : 0])
    return true
  }

  private func outcome(
    _ prompt: EncodedPrompt, _ parameters: GenerationParameters, _ mode: DecodingMode
  ) throws -> RunOutcome {
    let result = try generator.generate(
      tokens: prompt.ids, parameters: parameters, mode: mode,
      isCancelled: { Interruption.requested })
    Output.notices(result.notices)
    return RunOutcome(ids: result.tokens, statistics: result.statistics)
  }
}
