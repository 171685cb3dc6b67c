import Analysis
import ArgumentParser
import Foundation
import Speculate

/// The ways of decoding that are compared: the options of `generate`, with several values each.
struct DecodingListOptions: ParsableArguments {
  @Option(
    "What decodes beside plain decoding, which always runs: 'draft', 'jacobi' or both.",
    value: "decoder")
  var decoder = [DecoderChoice.draft]
  @Option(
    """
    Folders of drafters made for the target, or of causal models with its vocabulary, and 'suffix' for \
    drafts from matches in the text so far. (default: the one in Weights that was made for the \
    target; 'suffix' if there is none)
    """, value: "dir|suffix")
  var drafter: [DrafterChoice] = []
  @Option(
    """
    Drafts of a block, or the drafter's most if that is less; 'auto' drafts as many as pay. \
    (default: auto)
    """, value: "n|auto")
  var draftLength: [DraftLengthChoice] = []
  @OptionGroup var rule: DraftChoiceOptions
  @Option(
    """
    Tokens beside the drafter's first choice that it looks at at each place, and follows as far as they \
    pay; 0 drafts a chain. With --draft-length auto. (default: 2)
    """, value: "n")
  var branches: [Int] = []
  @Option(
    """
    How a block drafter denoises its blocks: policies of docs/policies.md, each with its settings behind a \
    colon. (default: one-pass)
    """, value: "policy")
  var denoising: [String] = []
  @Option(
    """
    Look the end of the text up in earlier text and draft what followed there: 'on', 'off' or both. \
    (default: on, but off beside a drafter where --draft-length is a number)
    """, value: "on|off")
  var suffix: [SwitchChoice] = []
  @Option(
    "Try again what verification threw away: 'on', 'off' or both. (default: off)", value: "on|off")
  var recycling: [SwitchChoice] = []
  @OptionGroup var jacobi: JacobiFlags

  func validate() throws {
    if jacobi.isGiven && !decoder.contains(.jacobi) {
      throw ValidationError("the --jacobi options belong to --decoder jacobi: give it too")
    }
    let belongsToDraft =
      !drafter.isEmpty || !draftLength.isEmpty || !recycling.isEmpty || rule.draftChoice != nil
      || !branches.isEmpty || !denoising.isEmpty
    if belongsToDraft && !decoder.contains(.draft) {
      throw ValidationError(
        "--drafter, --draft-length, --draft-choice, --branches, --denoising and --recycling belong to --decoder draft: "
          + "give it too, or leave them out")
    }
    for width in branches { try OptionCheck.range("--branches", width, 0...8) }
    for text in denoising { try OptionCheck.library { try Denoising(text) } }
    if drafter.contains(.none) {
      throw ValidationError("--drafter none is plain decoding, which always runs: leave it out")
    }
    if drafter.contains(.suffix) && suffix == [.off] {
      throw ValidationError("--suffix off leaves --drafter suffix without drafts: drop one of them")
    }
  }

  /// Every combination.
  ///
  /// - Throws: `SpeculateError` for a folder that doesn't exist.
  func ways(for target: TargetOptions) throws -> [DecodingWay] {
    var ways: [DecodingWay] = []
    let lookups: [Bool?] = suffix.isEmpty ? [nil] : suffix.map { $0 == .on }
    for decoder in decoder {
      switch decoder {
      case .jacobi: ways += lookups.map { .jacobi(jacobi.options(suffix: $0 ?? true)) }
      case .draft: ways += try drafts(lookups, for: target)
      }
    }
    return ways
  }

  private func drafts(_ lookups: [Bool?], for target: TargetOptions) throws -> [DecodingWay] {
    let choices: [DrafterChoice?] = drafter.isEmpty ? [nil] : drafter
    let lengths = draftLength.isEmpty ? [nil] : draftLength.map(\.count)
    let recyclings = recycling.isEmpty ? [false] : recycling.map { $0 == .on }
    let widths: [Int?] = branches.isEmpty ? [nil] : branches
    let policies: [Denoising?] =
      try denoising.isEmpty ? [nil] : denoising.map { try Denoising($0) }
    var ways: [DecodingWay] = []
    for choice in choices {
      let folder = try DrafterSource(choice, for: target).folder
      for length in lengths {
        // Without a drafter there is nothing to look up beside.
        for suffix in lookups where folder != nil || suffix != false {
          for recycling in recyclings {
            // Branches belong to a drafter whose length is free.
            for width in folder != nil && length == nil ? widths : [nil] {
              for policy in folder != nil ? policies : [nil] {
                ways.append(
                  .draft(
                    .init(
                      drafter: folder, length: length, choice: rule.draftChoice, suffix: suffix,
                      recycling: recycling, branches: width, denoising: policy)))
              }
            }
          }
        }
      }
    }
    return ways
  }
}

/// A draft length as the command line names it: a number, or `auto`.
struct DraftLengthChoice: ExpressibleByArgument, Equatable {
  /// Drafts of a block; nil for as many as pay.
  var count: Int?

  init?(argument: String) {
    if argument == "auto" { return }
    guard let number = Int(argument), number >= 1 else { return nil }
    count = number
  }
}
