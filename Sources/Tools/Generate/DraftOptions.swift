public import ArgumentParser
public import Speculate

/// How drafts are made. None of these changes the output.
struct DraftOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Draft this many tokens in every round. (default: as many as pay, by measured times)",
      valueName: "n"))
  var draftLength: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How drafts are chosen: 'argmax', or 'coupled' to the target's random numbers. (default: by "
        + "the temperature)", valueName: "rule"))
  var draftChoice: DraftChoice?

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

  /// The mode that these options describe.
  ///
  /// - Parameter isSuffix: whether the text itself is the only source of drafts.
  func mode(isSuffix: Bool) -> DecodingMode {
    var free: FreeDraftOptions?
    if isSuffix || suffix != nil || recycling != nil {
      let looksUp = suffix ?? (isSuffix || draftLength == nil)
      free = FreeDraftOptions(suffix: looksUp, recycling: recycling ?? false)
    }
    return .speculative(drafts: draftLength, choice: draftChoice, free: free)
  }

  func validate() throws {
    if let draftLength, draftLength < 1 {
      throw ValidationError("--draft-length \(draftLength) is out of range: use 1 or more")
    }
  }
}

extension DraftChoice: ExpressibleByArgument {}
