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

  /// The mode that these options describe.
  var mode: DecodingMode { .speculative(drafts: draftLength, choice: draftChoice) }

  func validate() throws {
    if let draftLength, draftLength < 1 {
      throw ValidationError("--draft-length \(draftLength) is out of range: use 1 or more")
    }
  }
}

extension DraftChoice: ExpressibleByArgument {}
