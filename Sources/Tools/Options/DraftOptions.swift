import Analysis
public import ArgumentParser
import Files
import Foundation
public import Speculate

/// How drafts are made. None of these changes the output.
struct DraftOptions: ParsableArguments {
  @Option(
    """
    Draft this many tokens in every round, or the drafter's most if that is less. (default: as many \
    as pay, by measured times)
    """, value: "n")
  var draftLength: Int?
  @OptionGroup var rule: DraftChoiceOptions
  @Option(
    """
    Look at this many tokens beside the drafter's first choice at each place, and follow those that pay; \
    0 drafts a chain. (default: 2, or 0 with --draft-length)
    """, value: "n")
  var branches: Int?
  @Option(
    """
    How a block drafter denoises its blocks: a policy of docs/policies.md, and its settings behind a colon, \
    'left-run:threshold=0.6,gate=1'. (default: one-pass)
    """, value: "policy")
  var denoising: String?
  @Flag(
    inversion: .prefixedNo, exclusivity: .exclusive,
    help: """
      Look the end of the text up in earlier text and draft what followed there. (default: yes, \
      unless --draft-length is given)
      """)
  var suffix: Bool?
  @Flag(
    inversion: .prefixedNo, exclusivity: .exclusive,
    help: "Try again, beside the next drafts, what verification threw away. (default: no)")
  var recycling: Bool?
  @Flag(
    help: """
      Measure pass times anew. (default: those of an earlier run, kept in $XDG_CACHE_HOME/speculate \
      or ~/.cache/speculate, brought up to date)
      """)
  var remeasure = false

  /// The way of decoding that these options describe.
  ///
  /// - Parameter scaffold: whether what a grammar forces is drafted.
  func way(
    _ choice: DrafterOptions, for target: TargetOptions, scaffold: Bool = true
  ) throws -> DecodingWay {
    let source = try DrafterSource(choice.drafter, for: target)
    let (drafter, isSuffix) = (source.folder, source == .suffix)
    if isSuffix && suffix == false {
      throw SpeculateError("--no-suffix leaves nothing to draft from: give --drafter too")
    }
    // Without a drafter only what is asked for is tried.
    guard drafter != nil || isSuffix || suffix == true || recycling == true else {
      guard denoising == nil else {
        throw SpeculateError(
          "--denoising belongs to a block drafter: leave it or --drafter none out")
      }
      return .plain
    }
    return try .draft(
      DecodingWay.Drafting(
        drafter: drafter, length: draftLength, choice: rule.draftChoice,
        suffix: suffix ?? (isSuffix || draftLength == nil), recycling: recycling ?? false,
        branches: branches, scaffold: scaffold, denoising: denoising.map(Denoising.init)))
  }

  func validate() throws {
    try OptionCheck.atLeast(1, ("--draft-length", draftLength))
    try OptionCheck.range("--branches", branches, 0...8)
    if let denoising { try OptionCheck.library { try Denoising(denoising) } }
    if let branches, branches > 0, draftLength != nil {
      throw ValidationError(
        "--draft-length drafts chains of one length: leave --branches \(branches) out")
    }
  }

  /// Refuses options that leave nothing to draft.
  func check(_ choice: DrafterOptions) throws {
    if choice.isSuffix && suffix == false {
      throw ValidationError("--no-suffix leaves --drafter suffix without drafts: drop one of them")
    }
  }
}

/// Whether what the grammar of an output forces is drafted.
struct ScaffoldOption: ParsableArguments {
  @Flag(
    name: .customLong("scaffold"), inversion: .prefixedNo, exclusivity: .exclusive,
    help: "Draft what the grammar of an output leaves no choice about. (default: yes)")
  var isOn: Bool?
}

/// How drafts are chosen.
struct DraftChoiceOptions: ParsableArguments {
  @Option(
    """
    How drafts are chosen: 'argmax', or 'coupled' to the target's random numbers. (default: by the \
    temperature)
    """, value: "rule")
  var draftChoice: DraftChoice?
}

extension DraftChoice: ExpressibleByArgument {}
