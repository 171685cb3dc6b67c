import ArgumentParser
import Speculate

/// How tokens are chosen, and when the output ends.
struct SamplingOptions: ParsableArguments {
  @Option("Tokens to generate at most.", value: "n") var maxTokens = Self.usualMaxTokens

  static let usualMaxTokens = 256

  @Option("0 takes the most probable token; higher values vary more.", value: "t")
  var temperature: Float = 0
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "End the output before this text; may be given several times.", valueName: "text"))
  var stop: [String] = []
  @OptionGroup var filters: SamplingFilterOptions

  var parameters: GenerationParameters {
    GenerationParameters(
      sampling: filters.sampling(temperature: temperature), maximumTokens: maxTokens,
      stopStrings: stop, ignoresEnd: filters.ignoreEnd)
  }

  func validate() throws {
    try OptionCheck.library(parameters.validated)
    try filters.check(parameters.sampling.isGreedy)
  }
}

/// How the target's tokens are chosen, but for the temperature.
struct SamplingFilterOptions: ParsableArguments {
  @Option("Keep the k most probable tokens; 0 keeps all.", value: "k") var topK = 0
  @Option("Keep the most probable tokens that together reach probability p.", value: "p")
  var topP: Float = 1
  @Option("Drop tokens less probable than this times the most probable one.", value: "p")
  var minP: Float = 0
  @Option("Make tokens already in the text less probable; 1 is off.", value: "x")
  var repetitionPenalty: Float = 1
  @Option("Selects the random numbers; the same seed gives the same text.", value: "n")
  var seed: UInt64 = 0
  @Flag(help: "Go on past end tokens, up to the limits.") var ignoreEnd = false

  /// Refuses filters of what greedy decoding doesn't sample.
  func check(_ isGreedy: Bool) throws {
    if isGreedy && (topK != 0 || topP != 1 || minP != 0) {
      throw ValidationError(
        "--top-k, --top-p and --min-p mean nothing at --temperature 0: give another, or leave them out"
      )
    }
  }

  func sampling(temperature: Float) -> SamplingParameters {
    SamplingParameters(
      temperature: temperature, topK: topK, topP: topP, minP: minP,
      repetitionPenalty: repetitionPenalty, seed: seed)
  }
}
