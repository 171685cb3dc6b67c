import ArgumentParser
import Files
import Speculate

/// How tokens are chosen, and when the output ends.
struct SamplingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens to generate at most.", valueName: "n"))
  var maxTokens = Self.usualMaxTokens

  /// Tokens to generate where no option says how many.
  static let usualMaxTokens = 256

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "0 takes the most probable token; higher values vary more.", valueName: "t"))
  var temperature: Float = 0

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "End the output before this text; may be given several times.", valueName: "text"))
  var stop: [String] = []

  @OptionGroup var filters: SamplingFilterOptions

  /// The parameters that these options describe.
  var parameters: GenerationParameters {
    GenerationParameters(
      sampling: filters.sampling(temperature: temperature), maximumTokens: maxTokens,
      stopStrings: stop, ignoresEnd: filters.ignoreEnd)
  }

  func validate() throws {
    do {
      try parameters.validated()
    } catch let error as SpeculateError {
      throw ValidationError(error.description)
    }
  }
}
