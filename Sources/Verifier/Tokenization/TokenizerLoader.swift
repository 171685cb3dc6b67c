public import Foundation
import Tensors

/// Loads whichever tokenizer a checkpoint folder holds.
public enum TokenizerLoader {
  /// Loads `tokenizer.model` (SentencePiece).
  ///
  /// Whether begin and end tokens are added comes from `tokenizer_config.json` where there is one;
  /// otherwise a begin token is and an end token is not.
  ///
  /// - Throws: `SpeculateError` when there is no tokenizer, or it is damaged or not supported.
  public static func load(directory: URL) throws -> any Tokenizer {
    let model = directory.appending(path: "tokenizer.model")
    if TokenizerFiles.exists(model) {
      let config = try TokenizerConfiguration(directory: directory)
      return try SentencePieceTokenizer(
        file: model, addsBegin: config.addsBegin ?? true, addsEnd: config.addsEnd ?? false)
    }
    guard TokenizerFiles.exists(directory) else {
      throw SpeculateError("\(directory.path) does not exist; give the folder of a checkpoint")
    }
    throw SpeculateError(
      "no tokenizer in \(directory.path); copy the checkpoint's tokenizer.model there")
  }
}
