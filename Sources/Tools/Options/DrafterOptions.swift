import ArgumentParser
import Foundation
import Tensors

/// Which drafter works for the target.
struct DrafterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of a drafter made for the target; 'suffix' to draft without a model, from matches in "
        + "the text so far; or 'none' for plain decoding. (default: the embedded one, "
        + "Weights/drafter)", valueName: "dir|suffix|none"))
  var drafter: DrafterChoice?

  @Option(
    name: .customLong("drafter-weights"),
    help: ArgumentHelp(
      "How to hold the drafter's matrices. (default: int8, or f32 where they are stored so)",
      valueName: "format"))
  var weights: WeightFormat?

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
