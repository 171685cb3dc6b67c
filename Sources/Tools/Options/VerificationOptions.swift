public import ArgumentParser
public import Speculate

/// How drafts become tokens, where that may be another way than the usual one.
struct VerificationOptions: ParsableArguments {
  @Option(
    """
    How drafts become tokens above temperature 0: 'match' keeps the output of plain decoding, token for \
    token; 'token' (rejection sampling) and 'block' keep its distribution, on chains of drafts that are \
    drawn with numbers of their own. (default: match)
    """, value: "rule")
  var verification: Verification?

  var isGiven: Bool { verification != nil }

  /// Parameters with the rule.
  func apply(to parameters: GenerationParameters) -> GenerationParameters {
    var parameters = parameters
    if let verification { parameters.verification = verification }
    return parameters
  }

  /// Whether outputs are samples of their own.
  func samples(_ parameters: GenerationParameters) -> Bool {
    !parameters.sampling.isGreedy && (verification ?? .match) != .match
  }

  /// Refuses what the rule has no use for.
  func check(_ sampling: SamplingOptions, _ drafting: DraftOptions) throws {
    guard let verification, verification != .match else { return }
    if sampling.parameters.sampling.isGreedy {
      throw ValidationError(
        "--verification \(verification.rawValue) means nothing at --temperature 0: give another, or leave it "
          + "out")
    }
    try OptionCheck.library {
      try apply(to: sampling.parameters).check(
        .speculative(
          drafts: drafting.draftLength, choice: drafting.rule.draftChoice,
          free: FreeDraftOptions(
            suffix: drafting.suffix ?? true, recycling: drafting.recycling ?? false),
          branches: drafting.branches))
    }
  }
}

extension Verification: ExpressibleByArgument {}
