import Foundation
import TestSupport

/// A SentencePiece model of the 256 bytes, so that every text has as many tokens as bytes.
enum TinyTokenizer {
  static let begin = 1
  static let end = 2
  static let mask = 3
  /// Four special tokens, the bytes, and the mark that stands for a space.
  static let vocabulary = 261

  /// The file's content.
  static var model: Data {
    SentencePieceModelBuilder(words: ["\u{2581}"], extra: [("<mask>", .control)]).data
  }
}
