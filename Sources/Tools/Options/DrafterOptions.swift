import ArgumentParser
import Files
import Foundation
import Speculate
import Tensors

/// Which drafter works for the target.
struct DrafterOptions: ParsableArguments {
  @Option(
    """
    Folder of a drafter made for the target, or of any causal model with the target's vocabulary; \
    'suffix' to draft without a model, from matches in the text so far; or 'none' for plain \
    decoding. (default: the one in Weights that was made for the target; 'suffix' if there is none)
    """, value: "dir|suffix|none")
  var drafter: DrafterChoice?
  @Option(
    "How to hold the drafter's matrices. (default: int8, or f32 where they are stored so)",
    value: "format", name: .customLong("drafter-weights"))
  var weights: WeightFormat?
  @Option(
    """
    Passes of a causal drafter in a round, in which it iterates on all drafts at once, as models \
    from 'speculate force' can. (default: one a draft)
    """, value: "n", name: .customLong("drafter-passes"))
  var passes: Int?

  func validate() throws {
    guard let passes else { return }
    try OptionCheck.atLeast(1, ("--drafter-passes", passes))
    guard case .some(.folder) = drafter else {
      throw ValidationError("--drafter-passes belongs to a causal model as --drafter: give both")
    }
  }

  /// Whether the text itself is asked for as the only source of drafts.
  var isSuffix: Bool { drafter == .suffix }
}

/// What drafts for a target.
enum DrafterSource: Equatable {
  case none
  /// Matches in the text so far.
  case suffix
  case model(URL)

  /// What an option asks for; without it an embedded drafter made for the target, and earlier text for
  /// other targets.
  ///
  /// - Throws: `SpeculateError` when a folder doesn't exist.
  init(_ choice: DrafterChoice?, for target: TargetOptions) throws {
    switch choice {
    case .some(.none): self = .none
    case .some(.suffix): self = .suffix
    case .some(.folder(let path)): self = .model(try ModelFolder.url(path, option: "--drafter"))
    case nil:
      guard let path = target.target else {
        self = .model(try WeightsLocator().folder("drafter"))
        return
      }
      if let embedded = Self.embedded(for: try target.folder()) {
        self = .model(embedded)
      } else {
        Output.note(
          "no drafter is named for \(path): drafts come from earlier text; --drafter names one\n")
        self = .suffix
      }
    }
  }

  /// The embedded drafter that fits a target, if there is one. Of several it is the first by name, so that
  /// `drafter` comes before `drafter-tokens`.
  static func embedded(for target: URL) -> URL? {
    FittingDrafters.find(for: target, in: WeightsLocator().folders).first
  }

  var folder: URL? {
    if case .model(let folder) = self { folder } else { nil }
  }
}
