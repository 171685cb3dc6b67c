import ArgumentParser
import Foundation

/// Which drafter works for the target.
struct DrafterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of a drafter made for the target, or 'none' for plain decoding. (default: the "
        + "embedded one, Weights/drafter)", valueName: "dir|none"))
  var drafter: String?

  /// The drafter's folder; nil for plain decoding.
  ///
  /// - Throws: `SpeculateError` when it doesn't exist.
  func folder() throws -> URL? {
    if drafter == "none" { return nil }
    return try drafter.map { try ModelFolder.url($0, option: "--drafter") }
      ?? WeightsLocator().folder("drafter")
  }
}
