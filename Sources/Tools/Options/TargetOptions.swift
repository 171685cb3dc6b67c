import ArgumentParser
import Foundation

struct TargetOptions: ParsableArguments {
  @Option(
    """
    Folder of the target model: config.json, safetensors and tokenizer. (default: the embedded \
    one, Weights/target)
    """, value: "dir")
  var target: String?

  /// The target's folder.
  ///
  /// - Throws: `SpeculateError` when it doesn't exist.
  func folder() throws -> URL {
    try target.map { try ModelFolder.url($0, option: "--target") }
      ?? WeightsLocator().folder("target")
  }
}
