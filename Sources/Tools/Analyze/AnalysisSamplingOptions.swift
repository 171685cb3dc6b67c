import ArgumentParser
import Speculate

/// How the target's tokens are chosen in an analysis; temperatures are compared, and so apart.
struct AnalysisSamplingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens to generate at most.", valueName: "n"))
  var maxTokens = 128

  @OptionGroup var filters: SamplingFilterOptions

  /// The parameters that these options describe.
  func parameters(temperature: Float) -> GenerationParameters {
    GenerationParameters(
      sampling: filters.sampling(temperature: temperature), maximumTokens: maxTokens,
      ignoresEnd: filters.ignoreEnd)
  }
}
