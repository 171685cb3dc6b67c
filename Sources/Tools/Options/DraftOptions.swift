import Analysis
public import ArgumentParser
import Foundation
public import Speculate

/// How drafts are made. None of these changes the output.
struct DraftOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Draft this many tokens in every round, or the drafter's most if that is less. (default: as many "
        + "as pay, by measured times)",
      valueName: "n"))
  var draftLength: Int?

  @OptionGroup var rule: DraftChoiceOptions

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Look the end of the text up in earlier text and draft what followed there. (default: yes, "
        + "unless --draft-length is given)"))
  var suffix: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Try again, beside the next drafts, what verification threw away. (default: no)"))
  var recycling: Bool?

  @Flag(
    help: ArgumentHelp(
      "Measure pass times anew. (default: those of an earlier run, kept in $XDG_CACHE_HOME/speculate "
        + "or ~/.cache/speculate, brought up to date)"))
  var remeasure = false

  /// The way of decoding that these options describe.
  ///
  /// - Parameters:
  ///   - drafter: the drafter's folder; nil without a drafter model.
  ///   - isSuffix: whether the text itself is the only source of drafts.
  func way(drafter: URL?, isSuffix: Bool) -> DecodingWay {
    // Without a drafter only what is asked for is tried.
    guard drafter != nil || isSuffix || suffix == true || recycling == true else { return .plain }
    return .draft(
      DecodingWay.Drafting(
        drafter: drafter, length: draftLength, choice: rule.draftChoice,
        suffix: suffix ?? (isSuffix || draftLength == nil), recycling: recycling ?? false))
  }

  func validate() throws {
    if let draftLength, draftLength < 1 {
      throw ValidationError("--draft-length \(draftLength) is out of range: use 1 or more")
    }
  }
}

/// How drafts are chosen.
struct DraftChoiceOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How drafts are chosen: 'argmax', or 'coupled' to the target's random numbers. (default: by "
        + "the temperature)", valueName: "rule"))
  var draftChoice: DraftChoice?
}

extension DraftChoice: ExpressibleByArgument {}
