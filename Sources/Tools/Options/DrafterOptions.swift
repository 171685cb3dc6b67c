import ArgumentParser
import Foundation
import Tensors

/// Which drafter works for the target.
struct DrafterOptions: ParsableArguments {
  @Option(
    """
    Folder of a drafter made for the target, or of any causal model with the target's vocabulary; \
    'suffix' to draft without a model, from matches in the text so far; or 'none' for plain \
    decoding. (default: the embedded one, Weights/drafter)
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

  /// Whether the text itself is the only source of drafts.
  var isSuffix: Bool { drafter == .suffix }

  /// The drafter's folder; nil for decoding without a drafter model.
  ///
  /// - Throws: `SpeculateError` when it doesn't exist.
  func folder() throws -> URL? {
    switch drafter {
    case nil: try WeightsLocator().folder("drafter")
    case .some(.none), .some(.suffix): nil
    case .some(.folder(let path)): try ModelFolder.url(path, option: "--drafter")
    }
  }
}
