import ArgumentParser
import Speculate

/// How the target's tokens are chosen, but for the temperature.
struct SamplingFilterOptions: ParsableArguments {
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

  @Flag(help: "Go on past end tokens, up to the limits.")
  var ignoreEnd = false

  /// These options at a temperature.
  func sampling(temperature: Float) -> SamplingParameters {
    SamplingParameters(
      temperature: temperature, topK: topK, topP: topP, minP: minP,
      repetitionPenalty: repetitionPenalty, seed: seed)
  }
}
