import ArgumentParser
import Speculate
import Tensors

/// How tokens are chosen, and when the output ends.
struct SamplingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens to generate at most.", valueName: "n"))
  var maxTokens = 256

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "0 takes the most probable token; higher values vary more.", valueName: "t"))
  var temperature: Float = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep the k most probable tokens; 0 keeps all.", valueName: "k"))
  var topK = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Keep the most probable tokens that together reach probability p.", valueName: "p"))
  var topP: Float = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Drop tokens less probable than this times the most probable one.", valueName: "p"))
  var minP: Float = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Make tokens already in the text less probable; 1 is off.", valueName: "x"))
  var repetitionPenalty: Float = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Selects the random numbers; the same seed gives the same text.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "End the output before this text; may be given several times.", valueName: "text"))
  var stop: [String] = []

  @Flag(help: "Go on past end tokens, up to the limits.")
  var ignoreEnd = false

  /// The parameters that these options describe.
  var parameters: GenerationParameters {
    GenerationParameters(
      sampling: SamplingParameters(
        temperature: temperature, topK: topK, topP: topP, minP: minP,
        repetitionPenalty: repetitionPenalty, seed: seed),
      maximumTokens: maxTokens, stopStrings: stop, ignoresEnd: ignoreEnd)
  }

  func validate() throws {
    do {
      try parameters.validated()
    } catch let error as SpeculateError {
      throw ValidationError(error.description)
    }
  }
}
